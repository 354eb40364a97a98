"""Roles: what a group gives, and what being nobody or locked out takes away."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser, Group, User
from django.test import RequestFactory
from rest_framework.test import force_authenticate
from rest_framework.views import APIView

from core.roles import Role, has_role, roles_of
from tests import clients

pytestmark = pytest.mark.django_db


def test_the_three_groups_exist_from_the_start() -> None:
    assert set(Group.objects.values_list("name", flat=True)) == set(Role.values)


def test_nobody_and_a_plain_user_have_no_role() -> None:
    assert roles_of(AnonymousUser()) == frozenset()
    assert roles_of(clients.user()) == frozenset()
    assert roles_of(None) == frozenset()


def test_a_view_that_names_no_permission_is_closed() -> None:
    request = RequestFactory().get("/")
    request.user = clients.user(is_superuser=True)
    force_authenticate(request, request.user)
    assert APIView.as_view()(request).status_code == 403


@pytest.mark.parametrize("role", Role.values)
def test_every_role_reads_what_viewers_read(role: str) -> None:
    account = clients.user(role)
    assert roles_of(account) == {Role(role), Role.VIEWER}
    assert has_role(account, Role.VIEWER)
    assert not has_role(account, *(set(Role) - {Role(role), Role.VIEWER}))


def test_a_superuser_is_all_of_them() -> None:
    assert roles_of(User(is_superuser=True)) == set(Role)


@pytest.mark.parametrize("facts", [{"is_superuser": True}, {}])
def test_an_inactive_account_is_nobody(facts: dict[str, bool]) -> None:
    assert roles_of(clients.user("editor", is_active=False, **facts)) == frozenset()


def test_the_admins_staff_flag_and_foreign_groups_are_no_role() -> None:
    account = clients.user(is_staff=True)
    account.groups.add(Group.objects.create(name="editors"))
    assert roles_of(account) == frozenset()
