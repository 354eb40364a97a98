"""What a sign-in gives: a short access token, and a refresh token that is used once. The only writer of
families: all the tokens that descend from one sign-in.

A family is one row, and its tokens open something for as long as the row is there. A refresh token that comes
a second time was copied, or its answer was lost; nobody can tell which, so the family ends (RFC 9700, section
4.14.2). No list of spent tokens is kept: the row holds the number of the one that counts.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast
from uuid import UUID, uuid4

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import InvalidToken, TokenError
from rest_framework_simplejwt.tokens import Token
from rest_framework_simplejwt.utils import datetime_from_epoch

from core import audit, conf, doors, jwt_keys
from core.audit import Action
from core.models import TokenFamily

logger = logging.getLogger(__name__)

ACCESS_FOR = timedelta(minutes=5)
ENDED = "This session has ended. Sign in again."


class _Ours(Token):
    """A token of a family. Raises TokenError when it is made from a text that is none of ours, or too old."""

    def get_token_backend(self) -> jwt_keys.KeyRing:
        return jwt_keys.ring()

    @property
    def family(self) -> UUID:
        return UUID(self["sid"])


class Access(_Ours):
    token_type = "access"
    lifetime = ACCESS_FOR


class Refresh(_Ours):
    token_type = "refresh"

    @property
    def lifetime(self) -> timedelta:  # type: ignore[override]
        """What the settings say at the moment. One that was given lasts as long as it says itself."""
        return timedelta(days=conf.current().session_days)

    @property
    def number(self) -> int:
        return int(self["seq"])


class Bearer(JWTAuthentication):
    """Who an access token speaks for, if its family has not ended meanwhile. Cookies count for nothing."""

    def get_user(self, validated_token: Token) -> Any:
        user = super().get_user(validated_token)
        if not TokenFamily.objects.filter(pk=validated_token["sid"]).exists():
            raise InvalidToken(ENDED)
        return user


@dataclass(frozen=True, slots=True)
class Pair:
    """Both tokens, as they are sent."""

    access: str
    refresh: str


def begin(user: AbstractBaseUser) -> Pair:
    """A new family for `user`, who has just proven who they are."""
    family = uuid4()
    access, refresh = _tokens(user, family, 1)
    TokenFamily.objects.create(pk=family, seq=1, expires_at=_end_of(refresh))
    return Pair(str(access), str(refresh))


def renew(text: str) -> Pair:
    """A new pair for a refresh token that counts; from now on the new one does.

    Raises TokenError or AuthenticationFailed: no token of ours, too old, its account locked or its password
    changed, its family ended. One that was used before ends its family, also when both come at the same
    moment: then one of them is answered, and what it gets is worth nothing either.
    """
    used = _read(text)
    user = JWTAuthentication().get_user(used)
    access, refresh = _tokens(user, used.family, used.number + 1)
    counts = TokenFamily.objects.filter(pk=used.family, seq=used.number)
    if counts.update(seq=refresh.number, expires_at=_end_of(refresh)):
        return Pair(str(access), str(refresh))
    if _end(used.family):
        logger.warning("a refresh token of account %s came twice: its session ends", user.pk)
        _record(Action.ACCOUNT_TOKEN_REUSED, user)
    raise TokenError(ENDED)


def end(text: str) -> None:
    """Sign out, with any refresh token of the family. Raises TokenError for none of ours, and when it had
    ended before."""
    token = _read(text)
    if not _end(token.family):
        raise TokenError(ENDED)
    _record(Action.ACCOUNT_LOGOUT, get_user_model().objects.filter(pk=token.get("user_id")).first())


def _record(action: Action, user: AbstractBaseUser | None) -> None:
    """Whoever sent the token: they had nothing else to show."""
    who = doors.who_is(user)
    audit.record(action, who.id, name=who.name, who=who)


def _read(text: str) -> Refresh:
    return Refresh(cast(Any, text))  # Simple JWT takes texts, and says otherwise


def _end(family: UUID) -> bool:
    return bool(TokenFamily.objects.filter(pk=family).delete()[0])


def _tokens(user: AbstractBaseUser, family: UUID, number: int) -> tuple[Access, Refresh]:
    access, refresh = Access.for_user(user), Refresh.for_user(user)
    access["sid"] = refresh["sid"] = str(family)
    refresh["seq"] = number
    return access, refresh


def _end_of(token: Token) -> Any:
    return datetime_from_epoch(token["exp"])
