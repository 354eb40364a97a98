"""Who may do what: three staff groups, each a word in the API's contract. A superuser is all of them."""

from __future__ import annotations

from django.db.models import TextChoices


class Role(TextChoices):
    """A viewer reads everything, an editor moves streams, an operator runs jobs and settings."""

    VIEWER = "viewer"
    EDITOR = "editor"
    OPERATOR = "operator"


def roles_of(user: object) -> frozenset[Role]:
    """The roles of `user`; editors and operators may read what viewers read. Anonymous: none."""
    if not getattr(user, "is_active", False):
        return frozenset()
    if getattr(user, "is_superuser", False):
        return frozenset(Role)
    groups = user.groups.values_list("name", flat=True)  # type: ignore[attr-defined]
    held = {Role(name) for name in groups if name in Role.values}
    return frozenset(held | {Role.VIEWER}) if held else frozenset()


def has_role(user: object, *wanted: Role) -> bool:
    """Whether `user` holds one of `wanted`."""
    return not roles_of(user).isdisjoint(wanted)
