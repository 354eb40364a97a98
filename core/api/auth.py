"""Signing in and out with JSON Web Tokens: a short access token, a refresh token that is used once.

These paths are open to anyone: the body is the credential.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from django.contrib.auth import authenticate, user_logged_in
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from rest_framework import serializers
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_simplejwt.exceptions import AuthenticationFailed, InvalidToken, TokenError

from core import accounts, conf, lockout, tokens
from core.api import shapes
from core.api.contract import Tag, operation
from core.problems import Problem
from core.roles import roles_of
from core.serializers import Strict, Text
from core.throttles import PerLogin, Scoped

REFUSED = Problem(401, "There is no active account with this name and password.")
ENDED = Problem(401, tokens.ENDED)


class Closed(Problem):
    def __init__(self) -> None:
        super().__init__(403, "New accounts are made by the staff alone.", reason="registration_closed")


class Taken(Problem):
    def __init__(self) -> None:
        super().__init__(409, "Another account has this name.", reason="name_taken")


class Paused(Problem):
    """With `Retry-After`, for which DRF asks `wait`."""

    def __init__(self, left_s: int) -> None:
        super().__init__(429, lockout.sentence(left_s), reason="sign_in_paused")
        self.wait = left_s


class Credentials(Strict):
    example = {"username": "ada", "password": "correct horse battery staple"}

    username = Text(max_length=150)
    password = Text(max_length=1024, trim_whitespace=False)


class Registration(Credentials):
    example = {"username": "grace", "password": "correct horse battery staple"}


class RefreshToken(Strict):
    example = {"refresh": shapes.Tokens.example["refresh"]}

    refresh = Text(max_length=8192)


class _Door(APIView):
    permission_classes = [AllowAny]
    authentication_classes = ()

    def get_authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


class Register(_Door):
    throttle_classes = [Scoped]
    throttle_scope = "register"

    @operation(
        "register",
        Tag.ACCOUNTS,
        shapes.NewAccount,
        status=201,
        body=Registration,
        refuses=[Closed(), Taken()],
    )
    def post(self, request: Request) -> Response:
        """Make an account.

        It has no role, and is signed in. Names are written without capitals; a name that is taken is told.
        """
        if not conf.current().registration_open:
            raise Closed
        said = Registration.read(request.data)
        try:
            user = accounts.register(said["username"], said["password"])
        except ValidationError as error:
            raise serializers.ValidationError(error.message_dict) from None
        except accounts.NameTaken:
            raise Taken from None
        return Response({**account_body(user), **_signed_in(request, user)}, status=201)


class Login(_Door):
    throttle_classes = [PerLogin]

    @operation("signIn", Tag.ACCOUNTS, shapes.Tokens, body=Credentials, refuses=[REFUSED, Paused(42)])
    def post(self, request: Request) -> Response:
        """Sign in.

        A name and a password for a pair of tokens. Capitals in the name do not matter.
        """
        try:
            user = authenticate(request._request, **Credentials.read(request.data))
        except lockout.Paused as paused:
            raise Paused(paused.left_s) from None
        if user is None:
            raise AuthenticationFailed(str(REFUSED.detail))
        return Response(_signed_in(request, user))


class Refresh(_Door):
    throttle_classes = [Scoped]
    throttle_scope = "refresh"

    @operation("renewTokens", Tag.ACCOUNTS, shapes.Tokens, body=RefreshToken, refuses=[ENDED])
    def post(self, request: Request) -> Response:
        """Renew the tokens.

        The refresh token is spent by it. One that comes twice ends all the tokens of its sign-in, at once.
        """
        text = RefreshToken.read(request.data)["refresh"]
        with _or_refused():
            return Response(asdict(tokens.renew(text)))


class Logout(_Door):
    @operation("signOut", Tag.ACCOUNTS, None, status=204, body=RefreshToken, refuses=[ENDED])
    def post(self, request: Request) -> Response:
        """Sign out.

        All tokens of this sign-in end at once; other sign-ins of the account go on.
        """
        text = RefreshToken.read(request.data)["refresh"]
        with _or_refused():
            tokens.end(text)
        return Response(status=204)


class Me(APIView):
    permission_classes = [IsAuthenticated]

    @operation("getMe", Tag.ACCOUNTS, shapes.Account)
    def get(self, request: Request) -> Response:
        """Who is signed in.

        And what they may do: an editor or operator may read what viewers read.
        """
        return Response(account_body(request.user))


def _signed_in(request: Request, user: AbstractBaseUser) -> dict[str, Any]:
    user_logged_in.send(type(user), request=request._request, user=user)
    return asdict(tokens.begin(user))


@contextmanager
def _or_refused() -> Iterator[None]:
    """What a token is refused for is answered 401, as everywhere."""
    try:
        yield
    except TokenError as error:
        raise InvalidToken(str(error)) from None


def account_body(user: Any) -> dict[str, Any]:
    return {"id": user.pk, "username": user.get_username(), "roles": sorted(roles_of(user))}
