"""The admin under attack: by whom it does not know, and by staff who want more than is theirs."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import pytest
from django.contrib.auth.models import User
from django.test import Client

from providers import secrets
from providers.models import Provider
from tests import clients, urls
from tests.clients import PASSWORD
from tests.hostile.judge import leaks, rows

pytestmark = pytest.mark.django_db

ELSEWHERE = [
    *("https://evil.example/", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example"),
    *(
        "http:evil.example",
        "https:///evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "\t//evil.example",
    ),
    *("//evil.example/%2f..", "/%09/evil.example", "https://testserver@evil.example", "//[::1"),
    *("http://testserver.evil.example", "/\r\nLocation: https://evil.example", "%0d%0aSet-Cookie:a=b"),
]
LISTS = sorted(route for route in urls.admin() if re.fullmatch(r"admin/[a-z_]+/[a-z]+/", route))
LOOKUPS = [
    *(
        "provider__secrets__contains=a",
        "config__contains=token",
        "password__startswith=pbkdf2",
        "id__regex=.*",
    ),
    *("user__password__startswith=a", "actor_id__gt=0", "$where=1", "id__$gt=0", "o=-99", "p=-1", "o=1.2.x"),
    *("q=%ff", "q=" + quote("' OR 1=1 --"), "q=" + quote('{"$gt": ""}'), "q=(", "q=" + "x" * 5000),
    *(
        "p=" + "9" * 400,
        "all=",
        "_facets=True",
        "e=1",
        "state__exact=%ff",
        "status__exact=[$ne]",
        "id__in=a,b",
    ),
    *("movie__title__startswith=M", "_popup=1&_to_field=password", "_to_field=secrets", "at__gte=x", "p=x"),
    *("q=%00", "state__exact=%00", "job__exact=%00", "movie_id=x", "run_id=x", "movie_id=" + "9" * 40),
]
IDS = ["0", "-1", "x", "9" * 40, "_00", "%00", "%ff", "_27_20OR_201_3D1", "..%2f..%2fetc", "_5Fx", "a" * 300]


@pytest.fixture
def office() -> Client:
    """A superuser's session: what stops a request is the request."""
    client = Client()
    client.force_login(clients.user("chief", is_superuser=True, is_staff=True))
    return client


def signed_in(role: str) -> Client:
    client = Client()
    client.force_login(clients.user(role, f"{role}-office", is_staff=True))
    return client


def leads_home(location: str) -> bool:
    """As a browser reads it: a backslash is a slash, and tabs and line ends are not there."""
    seen = re.sub(r"[\t\r\n]", "", location).replace("\\", "/")
    target = urlsplit(urljoin("https://home.example/admin/login/", seen))
    return (target.scheme, target.netloc) == ("https", "home.example") and "\n" not in location


@pytest.mark.parametrize("where", ELSEWHERE)
def test_signing_in_and_out_leads_nowhere_else(stage: dict[str, Any], where: str) -> None:
    account = clients.user("operator", is_staff=True)
    client = Client()
    form = {"username": account.username, "password": PASSWORD, "next": where}
    response = client.post(f"/admin/login/?next={quote(where)}", form)
    assert response.status_code == 302
    assert leads_home(response["Location"]), response["Location"]
    for path in (f"/admin/login/?next={quote(where)}", "/admin/login/", "/admin/password_change/done/"):
        assert leads_home(client.get(path, {"next": where}).get("Location", "/")), path
    assert leads_home(
        client.post(f"/admin/logout/?next={quote(where)}", {"next": where}).get("Location", "/")
    )


@pytest.mark.parametrize(
    "path", ["//evil.example/admin/", "/admin//evil.example/", "/admin/%0d%0aLocation:%20x"]
)
def test_nobody_is_sent_away_from_where_they_are(stage: dict[str, Any], path: str) -> None:
    assert leads_home(Client().get(path).get("Location", "/"))


@pytest.mark.parametrize("path", LISTS)
def test_a_list_takes_no_lookup_that_it_does_not_offer(
    stage: dict[str, Any], office: Client, path: str
) -> None:
    before = rows()
    for query in LOOKUPS:
        response = office.get(f"/{path}?{query}")
        assert response.status_code in (200, 302, 400), query
        assert leaks(response, sent=query) == [], query
        if response.status_code == 302:
            assert response["Location"].startswith(("?", "/admin/")), query
    assert rows() == before


@pytest.mark.parametrize("path", LISTS)
def test_what_nothing_is_called_has_no_page(stage: dict[str, Any], office: Client, path: str) -> None:
    before = rows()
    for key in IDS:
        for end in ("change", "history", "delete", "do/withdraw", "cancel", "again", "reset", "test"):
            response = office.get(f"/{path}{key}/{end}/")
            assert response.status_code in (302, 400, 403, 404, 405), (key, end)
            assert leaks(response, sent=key) == []
    assert rows() == before


@pytest.mark.parametrize("role", ["viewer", "editor", "operator"])
def test_staff_make_nobody_more_than_they_are(stage: dict[str, Any], role: str) -> None:
    client = signed_in(role)
    me = User.objects.get(username=f"{role}-office")
    forms = {
        "username": me.username,
        "is_superuser": "on",
        "is_staff": "on",
        "is_active": "on",
        "groups": "1",
    }
    for path in (
        f"auth/user/{me.pk}/change/",
        "auth/user/add/",
        f"auth/user/{me.pk}/password/",
        "auth/group/add/",
    ):
        assert client.post(f"/admin/{path}", forms).status_code in (403, 404), path
    me.refresh_from_db()
    assert not me.is_superuser


def test_a_form_without_its_token_changes_nothing(stage: dict[str, Any]) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(clients.user("operator", "ada", is_staff=True))
    before = rows()
    for path in (
        "core/setting/TARGET_5FQUALITY/change/",
        "ingestion/ingestrun/start/",
        "providers/provider/add/",
    ):
        assert client.post(f"/admin/{path}", {"value": "SD", "job": "tmdb.discover"}).status_code == 403
    assert rows() == before


def test_an_admins_session_is_none_of_the_api(stage: dict[str, Any], office: Client) -> None:
    before = rows()
    assert office.post("/api/ingest/run/tmdb.discover").status_code == 401
    assert office.get("/api/settings").status_code == 401
    assert rows() == before


def test_a_secret_is_shown_on_no_page(stage: dict[str, Any], office: Client) -> None:
    token = "Zx9-token-of-a-provider"
    sealed = secrets.seal("private", "token", token)
    Provider.objects.filter(pk="private").update(secrets={"token": sealed})
    for path in ("private/change/", "", "private/test/"):
        page = office.get(f"/admin/providers/provider/{path}")
        assert page.status_code == 200, path
        assert token not in page.content.decode()
        assert sealed not in page.content.decode()
