"""Who set which runtime setting to what, entry by entry. Values are checked by `core.conf`, not here.

The row of a setting *is* the newest entry of its history. To change it is to put the entry that is there
aside under its own key, and then to replace it, unless somebody else has: a process killed between the two
leaves a copy of what still holds, which the next change finds. So a change and its entry are one write, and
of two operators who race the later one says what it really replaced.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.models import Setting, SettingChange, Word
from core.refusals import Refusal

MAX_TRIES = 50
SHOWN = 200


class UnknownChange(Refusal):
    """There is no such entry in a setting's history."""


class Contended(Refusal):
    """Others change a setting faster than it can be changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One entry, numbered from 1. None, before or after: the environment's value or the default."""

    change: int
    before: Any
    after: Any
    at: datetime
    by: str
    comment: str
    reverts_to: int | None


def of(name: str) -> list[Change]:
    """The entries of one setting, newest first, SHOWN at most."""
    newest = Setting.objects.filter(pk=name).first()
    if newest is None:
        return []
    older = SettingChange.objects.filter(name=name, seq__lt=newest.seq).order_by("-seq")[: SHOWN - 1]
    return [_entry(word) for word in (newest, *older)]


def find(name: str, change: int) -> Change:
    """One entry. Raises UnknownChange."""
    newest = Setting.objects.filter(pk=name).first()
    last = newest.seq if newest else 0
    if newest is not None and change == last:
        return _entry(newest)
    key = SettingChange.key_for(name, change)
    older = SettingChange.objects.filter(pk=key).first() if 0 < change < last else None
    if older is None:
        there = f"There are 1 to {last}." if last else "It was never changed."
        raise UnknownChange(f"{name} has no change {change}. {there}")
    return _entry(older)


def write(
    name: str, value: Any, *, by: str, at: datetime, comment: str = "", reverts_to: int | None = None
) -> None:
    """Let `value` hold from now on; None: environment or default. Nothing if it holds. Raises Contended."""
    said = {"value": value, "changed_at": at, "changed_by": by, "comment": comment, "reverts_to": reverts_to}
    for _ in range(MAX_TRIES):
        newest = Setting.objects.filter(pk=name).first()
        if (newest.value if newest else None) == value or _replace(name, newest, said):
            return
    raise Contended(f"{name} is being changed by others all the time. Try again later.")


def _replace(name: str, newest: Setting | None, said: dict[str, Any]) -> bool:
    """False when somebody has done so since `newest` was read."""
    if newest is None:
        return Setting.objects.get_or_create(name=name, defaults=said)[1]
    key = SettingChange.key_for(name, newest.seq)
    SettingChange.objects.get_or_create(id=key, defaults={"name": name, **_columns(newest)})
    as_read = Setting.objects.filter(pk=name, seq=newest.seq)
    return as_read.update(**said, seq=newest.seq + 1, before=newest.value) == 1


def _columns(word: Word) -> dict[str, Any]:
    return {field.name: getattr(word, field.name) for field in Word._meta.get_fields()}


def _entry(word: Word) -> Change:
    return Change(
        change=word.seq,
        before=word.before,
        after=word.value,
        at=word.changed_at,
        by=word.changed_by,
        comment=word.comment,
        reverts_to=word.reverts_to,
    )
