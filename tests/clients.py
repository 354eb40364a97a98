"""Clients of the API for tests: who they are is told by a real access token, as in life."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, User
from rest_framework.test import APIClient

from core import tokens
from core.roles import Role

ROLES = ("anyone", "user", *Role.values)
PASSWORD = "correct horse battery staple"


def user(role: str = "user", name: str = "", **facts: Any) -> User:
    """An account; with a role other than `user` it is in the group of that name."""
    account = User.objects.create_user(name or f"{role}-ada", password=PASSWORD, **facts)
    if role in Role.values:
        account.groups.add(Group.objects.get_or_create(name=role)[0])
    return account


def client_of(account: User) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens.begin(account).access}")
    return client


def client(role: str = "anyone") -> APIClient:
    """A client with the account `<role>-ada`; `anyone` has none."""
    if role == "anyone":
        return APIClient()
    return client_of(User.objects.filter(username=f"{role}-ada").first() or user(role))


def assert_problem(response: Any, status: int, **members: Any) -> dict[str, Any]:
    """The problem (RFC 9457) that a response has to be, with at least these members."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert {"type", "title", "status", "detail"} <= body.keys()
    assert (body["type"], body["status"]) == ("about:blank", status)
    assert body["detail"].strip()
    assert "ErrorDetail" not in body["detail"]
    assert {name: body.get(name) for name in members} == members
    return body
