"""Signing in and out with JSON Web Tokens: a short access token, a refresh token that is used once.

Simple JWT's own views are open to anyone: the body is the credential.
"""

from __future__ import annotations

from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_simplejwt.views import TokenBlacklistView, TokenObtainPairView, TokenRefreshView

from core.roles import roles_of
from core.throttles import Scoped


class Login(TokenObtainPairView):
    """POST `{"username", "password"}` for `{"access", "refresh"}`."""

    throttle_classes = [Scoped]
    throttle_scope = "login"


class Refresh(TokenRefreshView):
    """POST `{"refresh"}` for a new pair; the old refresh token is spent."""

    throttle_classes = [Scoped]
    throttle_scope = "login"


class Logout(TokenBlacklistView):
    """POST `{"refresh"}`: it opens nothing any more."""


class Me(APIView):
    """GET: who is signed in, and what they may do."""

    permission_classes = [IsAuthenticated]

    def get(self, request: Request) -> Response:
        user = request.user
        return Response({"id": user.pk, "username": user.get_username(), "roles": sorted(roles_of(user))})
