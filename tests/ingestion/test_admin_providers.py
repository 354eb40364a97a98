"""What an operator does about a provider that fails, on its page; and that nobody else can."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone

from ingestion.models import IngestRun, Job
from providers import health, sessions
from providers.models import Provider
from streaming.models import StreamVersion
from streaming.verification import HELD
from tests import clients
from tests.streaming import factory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

PAGE = "/admin/providers/provider/library/"


def signed_in(role: str) -> Client:
    client = Client()
    client.force_login(clients.user(role, f"{role}-of-admin", is_staff=True))
    return client


@pytest.fixture(autouse=True)
def failing(settings: Any) -> Provider:
    storage = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": storage}
    now = timezone.now()
    return factory.provider(
        backoff_rung=3,
        backoff_until=now + timedelta(minutes=9),
        blamed_at=now,
        blame="12 of 12 streams failed",
    )


def library() -> Provider:
    return Provider.objects.get(pk="library")


def test_a_reset_starts_afresh_and_is_on_record() -> None:
    answer = signed_in("operator").post(f"{PAGE}reset/", follow=True)
    assert answer.status_code == 200
    assert "asked again at once" in answer.text
    assert (library().backoff_rung, library().backoff_until, library().blamed_at) == (0, None, None)
    entry = LogEntry.objects.get()
    assert (entry.object_id, entry.user.get_username()) == ("library", "operator-of-admin")
    assert "Reset" in entry.get_change_message()


def test_a_reset_ends_the_pause_that_was_asked_for(valkey_url: str, settings: Any) -> None:
    settings.REDIS_URL = valkey_url
    sessions._throttle(valkey_url).slow_down("library", 86_400, sent=0)
    assert sessions.pace_of("library").paused_s > 86_000
    signed_in("operator").post(f"{PAGE}reset/")
    assert sessions.pace_of("library") == (1.0, 0.0)


def test_what_failed_is_due_at_once_and_a_run_is_queued() -> None:
    later = timezone.now() + timedelta(hours=9)
    film = factory.movie(1)
    for ref, state in {"a": "broken", "b": "healthy", "c": "suspect"}.items():
        factory.version(film, ref, state=state, next_check_at=later)
    answer = signed_in("operator").post(f"{PAGE}recheck/", follow=True)
    assert "2 streams are probed again" in answer.text
    due = StreamVersion.objects.due(timezone.now()).values_list("ref", flat=True)
    assert set(due) == {"a", "c"}
    run = IngestRun.objects.get()
    assert (run.job, run.trigger, run.requested_by) == (Job.REVERIFY, "admin", "operator-of-admin")
    assert "2 streams" in LogEntry.objects.get().get_change_message()


def test_where_nothing_failed_no_run_is_queued() -> None:
    answer = signed_in("operator").post(f"{PAGE}recheck/", follow=True)
    assert "None of its streams failed" in answer.text
    assert not IngestRun.objects.exists()
    assert not LogEntry.objects.exists()


def test_who_believes_it_ends_the_blame_and_has_the_failures_counted() -> None:
    held = {
        "last_outcome": "provider_down",
        "evidence": f"{HELD} (dead): 404",
        "next_check_at": timezone.now(),
    }
    factory.version(factory.movie(1), "a", **held)
    operator = signed_in("operator")
    assert f'action="{PAGE}believe/"' in operator.get(f"{PAGE}change/").text
    answer = operator.post(f"{PAGE}believe/", follow=True)
    assert "Blamed no longer: 1 stream is suspect" in answer.text
    assert f'action="{PAGE}believe/"' not in answer.text, "there is nothing left to believe"
    assert (library().blamed_at, library().backoff_rung) == (None, 3)
    assert StreamVersion.objects.get().state == "suspect"
    assert "Blamed no longer" in LogEntry.objects.get().get_change_message()


def test_where_nobody_is_blamed_there_is_nothing_to_believe() -> None:
    Provider.objects.update(blamed_at=None)
    answer = signed_in("operator").post(f"{PAGE}believe/", follow=True)
    assert "It is not blamed" in answer.text
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("verb", ["reset", "recheck", "believe"])
@pytest.mark.parametrize("role", ["viewer", "editor"])
def test_it_takes_an_operator(role: str, verb: str) -> None:
    client = signed_in(role)
    assert client.post(f"{PAGE}{verb}/").status_code == 403
    assert f"{verb}/" not in client.get(f"{PAGE}change/").text
    assert library().backoff_rung == 3


@pytest.mark.parametrize("verb", ["reset", "recheck", "believe"])
def test_a_link_does_nothing_and_an_unknown_provider_is_not_found(verb: str) -> None:
    client = signed_in("operator")
    assert client.get(f"{PAGE}{verb}/").status_code == 405
    assert client.post(f"/admin/providers/provider/nobody/{verb}/").status_code == 404
    assert library().backoff_rung == 3


def test_the_page_has_the_week_the_blame_and_both_buttons() -> None:
    shown = signed_in("operator").get(f"{PAGE}change/").text
    for words in (
        "12 of 12 streams failed",
        "Searches answered",
        f'action="{PAGE}reset/"',
        f'action="{PAGE}recheck/"',
    ):
        assert words in shown, words


def test_where_something_is_wrong_the_page_says_what_each_button_does() -> None:
    believe = "<strong>Believe it</strong>: Its failed streams are gone indeed"
    client = signed_in("operator")
    assert believe in client.get(f"{PAGE}change/").text
    Provider.objects.update(blamed_at=None)
    backing_off = client.get(f"{PAGE}change/").text
    assert "<strong>Reset</strong>: End its back-off" in backing_off
    assert believe not in backing_off
    Provider.objects.update(**health.NOT_BACKING_OFF, last_error_at=None)
    assert "<strong>Reset</strong>" not in client.get(f"{PAGE}change/").text


def test_the_first_page_says_who_is_blamed_for_what() -> None:
    shown = signed_in("viewer").get("/admin/").text
    assert f'<a href="{PAGE}change/">Library</a>' in shown
    assert "12 of 12 streams failed" in shown
