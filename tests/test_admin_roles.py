"""Who may do what in the admin: every route by hand, one row each.

The statuses are those of GET and of POST without a form: as far as each may come. 302 leads on to the
page that a short address stands for, or to what was done. Whoever is not staff is asked to sign in.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from core.models import AuditEntry
from core.roles import Role
from ingestion.models import IngestLog
from streaming.models import StreamSwitch
from tests import clients, urls
from tests.hostile.conftest import stage, unthrottled
from tests.streaming.factory import NOW

__all__ = ["stage", "unthrottled"]
pytestmark = pytest.mark.django_db

#                                                                   GET           POST
#                                                                   viewer editor operator, the same
TABLE = """
admin/                                                              200 200 200   200 200 200
admin/auth/group/                                                   403 403 403   403 403 403
admin/auth/group/<path:object_id>/                                  302 302 302   302 302 302
admin/auth/group/<path:object_id>/change/                           403 403 403   403 403 403
admin/auth/group/<path:object_id>/delete/                           403 403 403   403 403 403
admin/auth/group/<path:object_id>/history/                          403 403 403   403 403 403
admin/auth/group/add/                                               403 403 403   403 403 403
admin/auth/user/                                                    403 403 403   403 403 403
admin/auth/user/<id>/password/                                      403 403 403   403 403 403
admin/auth/user/<path:object_id>/                                   302 302 302   302 302 302
admin/auth/user/<path:object_id>/change/                            403 403 403   403 403 403
admin/auth/user/<path:object_id>/delete/                            403 403 403   403 403 403
admin/auth/user/<path:object_id>/history/                           403 403 403   403 403 403
admin/auth/user/add/                                                403 403 403   403 403 403
admin/autocomplete/                                                 403 403 403   405 405 405
admin/core/auditentry/                                              200 200 200   200 200 200
admin/core/auditentry/<path:object_id>/                             302 302 302   302 302 302
admin/core/auditentry/<path:object_id>/change/                      200 200 200   200 200 200
admin/core/auditentry/<path:object_id>/delete/                      403 403 403   403 403 403
admin/core/auditentry/<path:object_id>/history/                     200 200 200   200 200 200
admin/core/auditentry/add/                                          403 403 403   403 403 403
admin/core/auditentry/export/                                       403 403 200   403 403 200
admin/core/setting/                                                 200 200 200   200 200 200
admin/core/setting/<path:object_id>/                                302 302 302   302 302 302
admin/core/setting/<path:object_id>/change/                         200 200 200   403 403 200
admin/core/setting/<path:object_id>/delete/                         403 403 403   403 403 403
admin/core/setting/<path:object_id>/history/                        200 200 200   200 200 200
admin/core/setting/add/                                             403 403 403   403 403 403
admin/django_celery_beat/periodictask/                              200 200 200   200 200 200
admin/django_celery_beat/periodictask/<path:object_id>/             302 302 302   302 302 302
admin/django_celery_beat/periodictask/<path:object_id>/change/      302 302 302   403 403 302
admin/django_celery_beat/periodictask/<path:object_id>/delete/      403 403 403   403 403 403
admin/django_celery_beat/periodictask/<path:object_id>/history/     302 302 302   302 302 302
admin/django_celery_beat/periodictask/add/                          403 403 403   403 403 403
admin/ingestion/ingestlog/                                          200 200 200   200 200 200
admin/ingestion/ingestlog/<path:object_id>/                         302 302 302   302 302 302
admin/ingestion/ingestlog/<path:object_id>/change/                  200 200 200   403 403 403
admin/ingestion/ingestlog/<path:object_id>/delete/                  403 403 403   403 403 403
admin/ingestion/ingestlog/<path:object_id>/history/                 200 200 200   200 200 200
admin/ingestion/ingestlog/add/                                      403 403 403   403 403 403
admin/ingestion/ingestrun/                                          200 200 200   200 200 200
admin/ingestion/ingestrun/<path:object_id>/                         302 302 302   302 302 302
admin/ingestion/ingestrun/<path:object_id>/change/                  200 200 200   200 200 200
admin/ingestion/ingestrun/<path:object_id>/delete/                  403 403 403   403 403 403
admin/ingestion/ingestrun/<path:object_id>/history/                 200 200 200   200 200 200
admin/ingestion/ingestrun/<uuid:run_id>/again/                      405 405 405   403 403 302
admin/ingestion/ingestrun/<uuid:run_id>/cancel/                     403 403 200   403 403 302
admin/ingestion/ingestrun/add/                                      403 403 403   403 403 403
admin/ingestion/ingestrun/start/                                    403 403 200   403 403 200
admin/jsi18n/                                                       200 200 200   405 405 405
admin/login/                                                        302 302 302   200 200 200
admin/logout/                                                       405 405 405   200 200 200
admin/password_change/                                              200 200 200   200 200 200
admin/password_change/done/                                         200 200 200   405 405 405
admin/providers/provider/                                           200 200 200   200 200 200
admin/providers/provider/<path:object_id>/                          302 302 302   302 302 302
admin/providers/provider/<path:object_id>/change/                   200 200 200   403 403 200
admin/providers/provider/<path:object_id>/delete/                   403 403 403   403 403 403
admin/providers/provider/<path:object_id>/history/                  200 200 200   200 200 200
admin/providers/provider/<str:slug>/believe/                        405 405 405   403 403 302
admin/providers/provider/<str:slug>/recheck/                        405 405 405   403 403 302
admin/providers/provider/<str:slug>/reset/                          405 405 405   403 403 302
admin/providers/provider/<str:slug>/test/                           403 403 200   403 403 200
admin/providers/provider/add/                                       403 403 200   403 403 200
admin/r/<path:content_type_id>/<path:object_id>/                    404 404 404   404 404 404
admin/streaming/movie/                                              200 200 200   200 200 200
admin/streaming/movie/<int:movie_id>/do/<slug:act>/                 403 200 403   403 200 403
admin/streaming/movie/<int:movie_id>/do/<slug:act>/<uuid:version>/  403 200 403   403 200 403
admin/streaming/movie/<int:movie_id>/do/recheck/                    405 405 405   403 302 403
admin/streaming/movie/<path:object_id>/                             302 302 302   302 302 302
admin/streaming/movie/<path:object_id>/change/                      200 200 200   200 200 200
admin/streaming/movie/<path:object_id>/delete/                      403 403 403   403 403 403
admin/streaming/movie/<path:object_id>/history/                     200 200 200   200 200 200
admin/streaming/movie/add/                                          403 403 403   403 403 403
admin/streaming/streamswitch/                                       200 200 200   200 200 200
admin/streaming/streamswitch/<path:object_id>/                      302 302 302   302 302 302
admin/streaming/streamswitch/<path:object_id>/change/               200 200 200   403 403 403
admin/streaming/streamswitch/<path:object_id>/delete/               403 403 403   403 403 403
admin/streaming/streamswitch/<path:object_id>/history/              200 200 200   200 200 200
admin/streaming/streamswitch/add/                                   403 403 403   403 403 403
admin/streaming/streamversion/                                      200 200 200   200 200 200
admin/streaming/streamversion/<path:object_id>/                     302 302 302   302 302 302
admin/streaming/streamversion/<path:object_id>/change/              200 200 200   403 403 403
admin/streaming/streamversion/<path:object_id>/delete/              403 403 403   403 403 403
admin/streaming/streamversion/<path:object_id>/history/             200 200 200   200 200 200
admin/streaming/streamversion/add/                                  403 403 403   403 403 403
"""
PATTERNS = {"^(?P<app_label>", "(?P<url>"}
"""A list of an app's models, and where nothing is: Django's, the same for all who may be here."""
OPEN = {"admin/login/", "admin/logout/"}
LEADS_ON = ("/change/", "/admin/")
"""To the page that a short address stands for, or back from a row that is not there."""
NAME = re.compile(r"<(?:\w+:)?(\w+)>")


def rows() -> dict[str, list[int]]:
    found = [line.split() for line in TABLE.splitlines() if line]
    return {route: [*map(int, statuses)] for route, *statuses in found}


def filled(route: str, stage: dict[str, Any]) -> str:
    """A route with a row that is there for each name in it; 1 where there need be none."""
    log = IngestLog.objects.first() or IngestLog.objects.create(job="x", status="OK", message="x", at=NOW)
    keys = {
        "group": Group.objects.values_list("pk", flat=True).first(),
        "user": clients.User.objects.values_list("pk", flat=True).first(),
        "movie": stage["movie"],
        "streamversion": stage["version"],
        "streamswitch": StreamSwitch.objects.values_list("pk", flat=True)[0].replace(":", "_3A"),
        "provider": "library",
        "ingestrun": stage["run"],
        "ingestlog": log.pk,
        "setting": "TARGET_5FQUALITY",
        "auditentry": AuditEntry.objects.values_list("pk", flat=True).first(),
    }
    key = next((key for model, key in keys.items() if f"/{model}/" in route), 1)
    act = "activate" if "<uuid:version>" in route else "edit"
    named = {"act": act, "version": stage["version"]}
    return "/" + NAME.sub(lambda name: str(named.get(name[1], key)), route)


def signed_in(role: str) -> Client:
    name = f"{role}-at-work"
    account = clients.User.objects.filter(username=name).first() or clients.user(role, name, is_staff=True)
    client = Client()
    client.force_login(account)
    return client


def test_each_role_comes_as_far_as_the_table_says(stage: dict[str, Any]) -> None:
    seen = {}
    for route in rows():
        url = filled(route, stage)
        asked = ((method, role) for method in ("GET", "POST") for role in Role.values)
        seen[route] = [signed_in(role).generic(method, url).status_code for method, role in asked]
    assert seen == rows()


@pytest.mark.parametrize("staff", [True, False])
def test_who_is_no_staff_of_ours_comes_nowhere(stage: dict[str, Any], staff: bool) -> None:
    """Nor who is staff to Django alone, beyond their own password and a first page without a word."""
    client = Client()
    client.force_login(clients.user("user", is_staff=staff))
    own = {"admin/", "admin/password_change/", "admin/password_change/done/", "admin/jsi18n/"}
    for route in rows().keys() - OPEN - (own if staff else set()):
        for method in ("GET", "POST"):
            response = client.generic(method, filled(route, stage))
            signs_in = response.status_code == 302 and "/admin/login/" in response.headers["Location"]
            leads_on = response.status_code == 302 and response.headers["Location"].endswith(LEADS_ON)
            assert signs_in or (staff and (leads_on or response.status_code in (403, 404, 405))), route


def test_every_route_has_its_row() -> None:
    routes = {route for route in urls.admin() if not any(pattern in route for pattern in PATTERNS)}
    assert routes == set(rows())
