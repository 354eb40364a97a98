"""Accounts and groups in the audit, whoever changes them: our API, Django's own pages, its commands.

By signals, as Django's own code cannot be asked to call us; and only where a person stands behind it
(`core.doors`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib.auth import get_user_model, signals
from django.contrib.auth.models import Group, User
from django.db import router, transaction
from django.db.models import Model
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_delete, pre_save

from core import doors
from core.audit import masks
from core.audit.actions import Action
from core.audit.acts import Deed, Outcome, begin, end, record
from core.names import fold

FACTS = ("username", "email", "first_name", "last_name", "is_active", "is_staff", "is_superuser")
_HELD = "_audited"


def connect() -> None:
    """Called once the apps are ready."""
    for model in (get_user_model(), Group):
        pre_save.connect(_before_save, sender=model, dispatch_uid=f"audit.{model.__name__}.save")
        post_save.connect(_after_save, sender=model, dispatch_uid=f"audit.{model.__name__}.saved")
        pre_delete.connect(_before_delete, sender=model, dispatch_uid=f"audit.{model.__name__}.delete")
        post_delete.connect(_after_delete, sender=model, dispatch_uid=f"audit.{model.__name__}.deleted")
    links = (User.groups.through, User.user_permissions.through, Group.permissions.through)
    for through in links:
        m2m_changed.connect(_linked, sender=through, dispatch_uid=f"audit.{through.__name__}")
    signals.user_logged_in.connect(_logged_in, dispatch_uid="audit.login")
    signals.user_logged_out.connect(_logged_out, dispatch_uid="audit.logout")
    signals.user_login_failed.connect(_login_failed, dispatch_uid="audit.login_failed")


def _before_save(instance: Any, raw: bool = False, **signal: Any) -> None:
    """Write down what is about to change; nothing for a save that changes none of the facts."""
    if raw or not doors.is_open():
        return
    known = None if instance._state.adding else type(instance)._base_manager.filter(pk=instance.pk).first()
    before, after = _facts(known), _facts(instance)
    if known is not None and _says_password(instance):
        before, after = {**before, "password": masks.SET}, {**after, "password": masks.SET_ANEW}
    if known is None or masks.changed(before, after) != ({}, {}):
        action = _action(instance, "add" if known is None else "change")
        only = {*masks.changed(before, after)[1]}
        action = Action.ACCOUNT_PASSWORD if known is not None and only == {"password"} else action
        begun = begin(action, instance.pk or "", name=str(instance))
        setattr(instance, _HELD, (begun, before, after))


def _after_save(instance: Any, **signal: Any) -> None:
    _finish(instance)


def _before_delete(instance: Any, **signal: Any) -> None:
    if doors.is_open():
        begun = begin(_action(instance, "delete"), instance.pk, name=str(instance))
        setattr(instance, _HELD, (begun, _facts(instance), {}))


def _after_delete(instance: Any, **signal: Any) -> None:
    _finish(instance)


def _finish(instance: Any) -> None:
    held = instance.__dict__.pop(_HELD, None)
    if held is not None:
        begun, before, after = held
        deed = Deed(instance.pk or begun.target_key, begun.target_name)
        deed.changed(before, after)
        _once_committed(instance, partial(end, begun, Outcome.DONE, deed))


def _once_committed(instance: Any, tell: Callable[[], None]) -> None:
    """The audit may be in another database, which knows nothing of a transaction that fails at its end."""
    transaction.on_commit(tell, using=instance._state.db or router.db_for_write(type(instance)), robust=True)


def _linked(
    instance: Any, action: str, reverse: bool, model: type[Model], pk_set: Any, **signal: Any
) -> None:
    """Groups of an account, permissions of either: what was given or taken away."""
    if not doors.is_open() or action not in ("post_add", "post_remove", "pre_clear"):
        return
    field = "accounts" if reverse else str(model._meta.verbose_name_plural)
    linked = model._default_manager.filter(pk__in=pk_set or ())
    names: Any = "all of them" if action == "pre_clear" else sorted(map(str, linked))
    if names:
        given, taken = ({field: names}, {}) if action == "post_add" else ({}, {field: names})
        change = partial(record, _action(instance, "change"), instance.pk, name=str(instance))
        _once_committed(instance, partial(change, before=taken, after=given))


def _logged_in(user: Any, **signal: Any) -> None:
    if doors.is_open():
        who = doors.who_is(user)
        record(Action.ACCOUNT_LOGIN, who.id, name=who.name, who=who)


def _logged_out(user: Any, **signal: Any) -> None:
    if doors.is_open() and user is not None:
        who = doors.who_is(user)
        record(Action.ACCOUNT_LOGOUT, who.id, name=who.name, who=who)


def _login_failed(credentials: dict[str, Any], **signal: Any) -> None:
    """Only the name of an account that there is: people type passwords where their name belongs."""
    if not doors.is_open():
        return
    tried = fold(str(credentials.get(get_user_model().USERNAME_FIELD) or ""))[:150]
    account = User.objects.filter(username=tried).first() if tried and "\x00" not in tried else None
    key, name = (account.pk, account.get_username()) if account else ("", "no account of ours")
    record(Action.ACCOUNT_LOGIN_FAILED, key, name=name, outcome=Outcome.REFUSED)


def _action(instance: Any, what: str) -> Action:
    return Action(f"{'group' if isinstance(instance, Group) else 'account'}.{what}")


def _facts(instance: Any) -> dict[str, Any]:
    if isinstance(instance, Group):
        return {"name": instance.name}
    return {} if instance is None else {name: getattr(instance, name) for name in FACTS}


def _says_password(instance: Any) -> bool:
    """Whether somebody set a password: Django also saves one that it only hashes anew, and leaves no trace of
    it here then."""
    return getattr(instance, "_password", None) is not None
