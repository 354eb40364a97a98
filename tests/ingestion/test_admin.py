"""The admin: who may read and act, what is asked first, and that nothing is written past the services."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from ingestion.models import IngestLog, IngestRun, Job
from ingestion.registry import JOBS
from streaming import switching
from streaming.admin import words
from streaming.models import Movie, StreamSwitch, StreamVersion
from streaming.policy_types import Reason
from streaming.quality import Quality
from tests.streaming import factory

pytestmark = pytest.mark.django_db(transaction=True)

FILM = "/admin/streaming/movie/45745/"
ACTS = ["rollback", "edit", "withdraw"]


@pytest.fixture(autouse=True)
def _plain_files(settings: Any) -> None:
    storage = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": storage}


def signed_in(role: str) -> Client:
    """A member of staff in one group; "" is in none."""
    user = User.objects.create_user(f"the-{role or 'nobody'}", password="x", is_staff=True)
    if role:
        user.groups.add(Group.objects.get_or_create(name=role)[0])
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def film() -> Movie:
    """A film that was upgraded from 720p to 1080p just now."""
    now = timezone.now()
    movie = factory.movie(title="Sintel")
    factory.version(movie, "first", Quality.P720, first_seen=now, last_seen=now)
    switching.reconsider(movie.pk, at=now - timedelta(minutes=2))
    factory.version(movie, "better", Quality.P1080, first_seen=now, last_seen=now)
    switching.reconsider(movie.pk, at=now - timedelta(minutes=1))
    return Movie.objects.get(pk=movie.pk)


def version(ref: str) -> StreamVersion:
    return StreamVersion.objects.get(ref=ref)


@pytest.mark.parametrize("role", ["viewer", "editor", "operator"])
def test_every_role_reads_everything(film: Movie, role: str) -> None:
    client = signed_in(role)
    IngestRun.objects.create(job=Job.MATCH, trigger="test", queued_at=factory.NOW)
    IngestLog.objects.create(job=Job.MATCH, status="OK", message="Found it.", at=factory.NOW)
    lists = ["streaming/movie", "streaming/streamversion", "streaming/streamswitch", "providers/provider"]
    lists += ["ingestion/ingestrun", "ingestion/ingestlog", "core/setting"]
    for path in ["", *(f"{each}/" for each in lists), "streaming/movie/45745/change/"]:
        assert client.get(f"/admin/{path}").status_code == 200, path


def test_staff_without_a_role_read_nothing(film: Movie) -> None:
    client = signed_in("")
    assert "has no role yet" in client.get("/admin/").content.decode()
    assert client.get("/admin/streaming/movie/").status_code == 403
    assert client.get(f"{FILM}change/").status_code == 403


def test_others_are_asked_to_sign_in(film: Movie, client: Client) -> None:
    for path in (f"{FILM}change/", f"{FILM}do/rollback/", f"{FILM}do/recheck/"):
        answer = client.post(path)
        assert answer.status_code == 302, path
        assert answer.headers["Location"].startswith("/admin/login/")


@pytest.mark.parametrize("role", ["viewer", "operator"])
def test_only_editors_act_on_a_film(film: Movie, role: str) -> None:
    client = signed_in(role)
    html = client.get(f"{FILM}change/").content.decode()
    assert "/do/" not in html
    paths = [f"{FILM}do/{act}/" for act in (*ACTS, "recheck", f"activate/{version('first').pk}")]
    for path in paths:
        assert client.post(path, {"reason": "x", "if_seq": 2}).status_code == 403, path
    assert StreamSwitch.objects.count() == 2


@pytest.mark.parametrize("model", ["streaming/movie", "streaming/streamversion", "streaming/streamswitch"])
def test_nobody_adds_or_deletes(film: Movie, admin_client: Client, model: str) -> None:
    for key in (film.pk, version("first").pk, "45745_3A1"):
        assert admin_client.post(f"/admin/{model}/{key}/delete/", {"post": "yes"}).status_code in (302, 403)
    assert admin_client.get(f"/admin/{model}/add/").status_code == 403
    assert (Movie.objects.count(), StreamVersion.objects.count(), StreamSwitch.objects.count()) == (1, 2, 2)


def test_the_films_page_says_why_each_stream_is_or_is_not_eligible(film: Movie) -> None:
    html = signed_in("editor").get(f"{FILM}change/").content.decode()
    for told in ("eligible", "it is not better than the current one", "Upgraded", "First stream", "turn 2"):
        assert told in html
    assert f"{FILM}do/activate/{version('first').pk}/" in html
    assert f"{FILM}do/activate/{version('better').pk}/" not in html, "it is the active one"


def test_a_rollback_compares_and_needs_a_reason(film: Movie) -> None:
    client = signed_in("editor")
    html = client.get(f"{FILM}do/rollback/").content.decode()
    order = [html.index(text) for text in ("Viewers see now", "1080p", "They would see", "720p")]
    assert order == sorted(order)
    refused = client.post(f"{FILM}do/rollback/", {"reason": "  ", "suppress": "forever", "if_seq": 2})
    assert "This field is required." in refused.content.decode()
    assert Movie.objects.get().switch_seq == 2


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ({"suppress": "until", "until": ""}, "Say until when."),
        ({"suppress": "until", "until": "2020-01-01T10:00"}, "This lies in the past."),
        ({"suppress": "sometimes"}, "Select a valid choice."),
        ({"suppress": "forever", "if_seq": 1}, "is at turn 2, not 1"),
    ],
)
def test_what_is_refused_is_said_on_the_form(film: Movie, answers: dict[str, Any], told: str) -> None:
    form = {"reason": "Wrong cut.", "if_seq": 2, **answers}
    answer = signed_in("editor").post(f"{FILM}do/rollback/", form)
    assert answer.status_code == 200
    assert told in answer.content.decode()
    assert Movie.objects.get().switch_seq == 2


def test_with_nothing_to_undo_the_page_sends_back_and_says_so(film: Movie) -> None:
    factory.movie(7, title="Untouched")
    answer = signed_in("editor").get("/admin/streaming/movie/7/do/rollback/", follow=True)
    assert answer.redirect_chain[-1][0] == "/admin/streaming/movie/7/change/"
    assert "no switch that is left to roll back" in answer.content.decode()


def test_an_editors_word_is_written_with_who_and_why(film: Movie) -> None:
    client = signed_in("editor")
    answers = {"hidden": "on", "target_quality": int(Quality.P1080), "reason": "Embargo", "if_seq": 2}
    client.post(f"{FILM}do/edit/", answers)
    movie, row = Movie.objects.get(), StreamSwitch.objects.get(seq=3)
    assert (movie.hidden, movie.pinned, movie.target_quality) == (True, False, Quality.P1080)
    assert (row.reason, row.actor_name, row.comment) == ("revised", "the-editor", "Embargo")
    assert LogEntry.objects.get().object_id == "45745"


def test_withdrawing_keeps_the_history_and_can_be_undone(film: Movie) -> None:
    client = signed_in("editor")
    client.post(f"{FILM}do/withdraw/", {"reason": "Licence dispute", "if_seq": 2})
    assert Movie.objects.get().removed_at is not None
    assert "Restore" in client.get(f"{FILM}change/").content.decode()
    client.post(f"{FILM}do/restore/", {"reason": "Settled", "if_seq": 3})
    movie = Movie.objects.get()
    assert movie.removed_at is None
    assert movie.active_quality == Quality.P1080


def test_a_stream_is_kept_out_and_let_in_again(film: Movie) -> None:
    client, better = signed_in("editor"), version("better").pk
    client.post(f"{FILM}do/suppress/{better}/", {"reason": "Stutters", "suppress": "forever", "if_seq": 2})
    assert Movie.objects.get().active_quality == Quality.P720
    assert "Kept out for good: Stutters" in client.get(f"{FILM}change/").content.decode()
    client.post(f"{FILM}do/release/{better}/", {"reason": "Mended", "if_seq": 3})
    assert Movie.objects.get().active_quality == Quality.P1080


@pytest.mark.parametrize(
    "path", ["/admin/streaming/movie/9/change/", "/admin/streaming/movie/x/change/", f"{FILM}do/burn/"]
)
def test_what_is_not_there_is_404(film: Movie, path: str) -> None:
    assert signed_in("editor").get(path).status_code == 404


def test_an_unknown_version_is_said(film: Movie) -> None:
    unknown = "00000000-0000-0000-0000-000000000000"
    answer = signed_in("editor").get(f"{FILM}do/activate/{unknown}/", follow=True)
    assert "has no stream version" in answer.content.decode()


@pytest.mark.parametrize(
    ("standing", "shown"),
    [("published", True), ("hidden", False), ("withdrawn", False), ("without-a-stream", False)],
)
def test_films_are_found_by_standing_title_and_number(film: Movie, standing: str, shown: bool) -> None:
    client = signed_in("viewer")
    assert ("Sintel" in client.get(f"/admin/streaming/movie/?standing={standing}").content.decode()) is shown
    assert "Sintel" in client.get("/admin/streaming/movie/?q=45745").content.decode()
    assert "Sintel" not in client.get("/admin/streaming/movie/?q=45746").content.decode()


def test_logs_are_found_by_run_and_by_film(film: Movie) -> None:
    run = IngestRun.objects.create(job=Job.MATCH, trigger="test", queued_at=factory.NOW)
    logs = {"run_id": run.pk, "movie_id": film.pk}
    IngestLog.objects.create(job=Job.MATCH, status="OK", message="This one.", at=factory.NOW, **logs)
    IngestLog.objects.create(job=Job.MATCH, status="OK", message="Another.", at=factory.NOW)
    client = signed_in("viewer")
    for name, value in logs.items():
        html = client.get(f"/admin/ingestion/ingestlog/?{name}={value}").content.decode()
        assert "This one." in html
        assert "Another." not in html


@pytest.mark.parametrize("model", ["ingestrun", "ingestlog"])
def test_runs_and_logs_are_found_by_job_and_the_choice_is_not_read_from_their_long_tables(model: str) -> None:
    for job in (Job.PRUNE, "house.gone"):
        IngestRun.objects.create(job=job, trigger="test", summary={"of": job}, queued_at=factory.NOW)
        IngestLog.objects.create(job=job, status="OK", message=f"of {job}", at=factory.NOW)
    client = signed_in("viewer")
    page = client.get(f"/admin/ingestion/{model}/").content.decode()
    assert set(re.findall(r"\?job=([\w.]+)", page)) == set(JOBS)
    for job, other in ((Job.PRUNE, "house.gone"), ("house.gone", Job.PRUNE)):
        html = client.get(f"/admin/ingestion/{model}/?job={job}").content.decode()
        assert f"of {job}" in html
        assert f"of {other}" not in html


def test_every_reason_and_switch_has_words() -> None:
    assert set(words.REASONS) == set(Reason)
    assert set(words.SWITCHES) == set(StreamSwitch.Reason)


def test_a_decision_of_another_day_is_told_as_far_as_it_is_known() -> None:
    verdict = {"version": "gone", "eligible": True, "quality": None, "reasons": ["verified", "of_the_future"]}
    (line,) = words.lines({"chosen": "gone", "verdicts": [verdict]}, {})
    assert (line.version, line.quality, line.chosen) == (None, "unknown", True)
    assert (line.good, line.bad) == (["measured"], [])
    assert words.lines({}, {}) == []


def test_only_the_schedule_of_the_beat_library_is_left_in_the_admin() -> None:
    shown = {
        model.__name__ for model in admin.site._registry if model._meta.app_label == "django_celery_beat"
    }
    assert shown == {"PeriodicTask"}
