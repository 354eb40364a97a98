"""Signing in and out with JSON Web Tokens: a short access token, a refresh token that is used once.

Simple JWT's own views are open to anyone: the body is the credential.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_simplejwt.exceptions import InvalidToken, TokenError
from rest_framework_simplejwt.serializers import TokenRefreshSerializer
from rest_framework_simplejwt.tokens import RefreshToken
from rest_framework_simplejwt.views import TokenBlacklistView, TokenObtainPairView, TokenRefreshView

from core.roles import roles_of
from core.throttles import PerLogin, Scoped


class OneTimeToken(RefreshToken):
    """A refresh token that opens one new pair, also when it is sent twice at the same moment."""

    def blacklist(self) -> Any:
        spent: Any = super().blacklist()  # (row, whether it is new)
        if not spent[1]:
            raise TokenError("Token is blacklisted")
        return spent


class Renewal(TokenRefreshSerializer):
    token_class = OneTimeToken

    def validate(self, attrs: dict[str, Any]) -> dict[str, str]:
        try:
            return super().validate(attrs)
        except ObjectDoesNotExist:
            raise InvalidToken("The account of this token is gone.") from None


class Login(TokenObtainPairView):
    """POST `{"username", "password"}` for `{"access", "refresh"}`."""

    throttle_classes = [PerLogin]


class Refresh(TokenRefreshView):
    """POST `{"refresh"}` for a new pair; the old refresh token is spent."""

    serializer_class = Renewal
    throttle_classes = [Scoped]
    throttle_scope = "refresh"


class Logout(TokenBlacklistView):
    """POST `{"refresh"}`: it opens nothing any more. Its last access token ends by itself, minutes later."""


class Me(APIView):
    """GET: who is signed in, and what they may do."""

    permission_classes = [IsAuthenticated]

    def get(self, request: Request) -> Response:
        user = request.user
        return Response({"id": user.pk, "username": user.get_username(), "roles": sorted(roles_of(user))})
