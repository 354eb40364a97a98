"""Accounts: how somebody makes one of their own. Each is stored under its folded name (`core.names`), also
when the admin or a command makes it.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, router, transaction
from django.db.models.signals import pre_save

from core.names import faults_of, fold


class NameTaken(Exception):
    """Another account has the name."""


def register(name: str, password: str) -> User:
    """A new account without any role. Of several at once with one name, one gets it.

    Raises ValidationError, by field, for a name or password that breaks the rules; and NameTaken.
    """
    name = fold(name)
    faults = {"username": faults_of(name), "password": _faults_of_password(password, User(username=name))}
    if any(faults.values()):
        raise ValidationError({field: found for field, found in faults.items() if found})
    try:
        with transaction.atomic(using=router.db_for_write(User)):
            return User.objects.create_user(name, password=password)
    except IntegrityError:
        raise NameTaken(name) from None


def connect() -> None:
    """Called once the apps are ready: the admin and the commands write names as well."""
    pre_save.connect(_fold_name, sender=User, dispatch_uid="core.accounts")


def _fold_name(instance: User, **signal: Any) -> None:
    instance.username = fold(instance.username)


def _faults_of_password(password: str, owner: User) -> list[str]:
    try:
        validate_password(password, owner)
    except ValidationError as error:
        return list(error.messages)
    return []
