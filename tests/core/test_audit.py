"""The audit: what a row says, that it is written ahead of the act, and that nobody takes it back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from core import audit, correlation, doors
from core.audit import Action, acts, keeping, masks
from core.ids import floor_of, uuid7, uuid7_of
from core.models import AppendOnly, AuditEntry
from core.problems import Problem
from core.refusals import Refusal
from tests import clients

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def rows(**filters: Any) -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(**filters).order_by("at", "id"))


def the_end(**filters: Any) -> AuditEntry:
    """The one row that says how an act ended."""
    (row,) = AuditEntry.objects.exclude(outcome="begun").filter(**filters)
    return row


def test_an_act_is_on_record_before_it_is_done_and_its_end_after_it() -> None:
    with audit.act(Action.SETTING_CHANGE, "TARGET_QUALITY", why="Our screens show no more.") as deed:
        (begun,) = rows()
        deed.changed({"value": "2160p", "source": "default"}, {"value": "1080p", "source": "default"})
    end = the_end()
    assert (begun.outcome, end.outcome, begun.act, end.act) == ("begun", "done", begun.pk, begun.pk)
    for row in (begun, end):
        assert (row.action, row.target_kind, row.target_key) == (
            "setting.change",
            "setting",
            "TARGET_QUALITY",
        )
        assert row.why == "Our screens show no more."
    assert (end.before, end.after) == ({"value": "2160p"}, {"value": "1080p"})


@pytest.mark.parametrize(
    ("error", "outcome", "told"),
    [
        (Refusal("It is at turn 4, not 3."), "refused", "Refusal: It is at turn 4, not 3."),
        (Problem(409, "Stale."), "refused", "Problem: Stale."),
        (Problem(503, "Away."), "failed", "Problem"),
        (RuntimeError("with whatever a bug may say"), "failed", "RuntimeError"),
        (KeyboardInterrupt(), "failed", "KeyboardInterrupt"),
    ],
)
def test_an_act_that_raises_is_recorded_and_raises(error: BaseException, outcome: str, told: str) -> None:
    with pytest.raises(type(error)), audit.act(Action.MOVIE_ACTIVATE, 5):
        raise error
    assert (the_end().outcome, the_end().error) == (outcome, told)


def test_what_is_refused_without_an_exception_says_so() -> None:
    with audit.act(Action.MOVIE_ACTIVATE, 5) as deed:
        deed.refuse("The form is not complete.")
    assert (the_end().outcome, the_end().error) == ("refused", "The form is not complete.")


def test_an_act_that_cannot_be_written_down_is_not_done(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> None:
        raise OperationalError

    monkeypatch.setattr(AuditEntry, "save", away)
    with pytest.raises(OperationalError), audit.act(Action.MOVIE_ACTIVATE, 5):
        pytest.fail("it was done")


def test_what_is_done_stays_done_if_the_database_goes_away_before_the_end_is_written(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(row: AuditEntry) -> None:
        raise OperationalError

    monkeypatch.setattr(acts, "_insert", away)
    with audit.act(Action.MOVIE_ACTIVATE, 5):
        pass
    assert [row.outcome for row in rows()] == ["begun"]
    assert "could not be told how movie.activate 5 ended (done)" in caplog.text


def test_an_act_whose_process_died_is_given_up_once_and_only_after_an_hour() -> None:
    begun = acts.begin(Action.PROVIDER_CHANGE, "library")
    with audit.act(Action.PROVIDER_CHANGE, "library"):
        pass
    soon, later = begun.at + timedelta(minutes=59), begun.at + timedelta(minutes=61)
    assert [keeping.give_up(at) for at in (soon, later, later)] == [0, 1, 0]
    (unknown,) = rows(outcome="unknown")
    assert unknown.act == begun.pk
    assert "before it could say" in unknown.error


def test_an_act_that_ends_after_it_was_given_up_says_so_all_the_same() -> None:
    with audit.act(Action.PROVIDER_CHANGE, "library"):
        assert keeping.give_up(rows()[0].at + timedelta(hours=2)) == 1
    assert sorted(row.outcome for row in rows()) == ["begun", "done", "unknown"]


def test_every_act_that_never_ended_is_found_however_many_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "BATCH", 2)
    last = [acts.begin(Action.JOB_START, number) for number in range(5)][-1]
    assert keeping.give_up(last.at + timedelta(hours=2)) == 5


def test_rows_past_their_time_are_deleted_and_younger_ones_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "BATCH", 2)
    for age in range(5):
        _row_of(NOW - timedelta(days=age))
    assert keeping.forget(before=NOW - timedelta(days=2)) == 2
    assert len(rows()) == 3


def _row_of(at: datetime) -> None:
    key = uuid7_of(at, str(at))
    AuditEntry.objects.create(id=key, act=key, at=at, action="job.start", target_kind="job", outcome="done")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "attempt",
    [
        lambda row: row.delete(),
        lambda row: AuditEntry.objects.all().delete(),
        lambda row: AuditEntry._base_manager.all().delete(),
        lambda row: AuditEntry.objects.filter(pk=row.pk).update(why="another"),
        lambda row: AuditEntry._base_manager.filter(pk=row.pk).update(why="another"),
        lambda row: AuditEntry.objects.bulk_update([row], ["why"]),
        lambda row: AuditEntry.objects.update_or_create(pk=row.pk, defaults={"why": "another"}),
        lambda row: row.save_base(raw=True),
    ],
)
def test_no_row_is_changed_or_deleted(attempt: Any) -> None:
    audit.record(Action.JOB_START, "tmdb.discover", why="as it was")
    row = the_end()
    row.why = "another"
    with pytest.raises(AppendOnly):
        attempt(row)
    assert the_end().why == "as it was"


@pytest.mark.django_db(transaction=True)
def test_a_row_is_never_written_over() -> None:
    audit.record(Action.JOB_START, "tmdb.discover")
    row = the_end()
    row.why = "another"
    with pytest.raises(Exception, match=r"(?i)unique|duplicate"):
        row.save()


class TestDoors:
    """Who and from where is said by whoever opens the door, and not by what is done behind it."""

    def through(self, request: HttpRequest, user: Any = None) -> AuditEntry:
        def answer(asked: HttpRequest) -> HttpResponse:
            if user is not None:
                asked.user = user
            audit.record(Action.JOB_START, "tmdb.discover")
            return HttpResponse()

        correlation.Correlate(doors.Doorkeeper(answer))(request)
        return the_end()

    def test_a_request_tells_who_sent_it_from_where(self) -> None:
        account = clients.user("operator")
        asked = RequestFactory().post(
            "/api/ingest/run/tmdb.discover?token=hush", REMOTE_ADDR="203.0.113.9", HTTP_X_REQUEST_ID="seen-7"
        )
        row = self.through(asked, account)
        assert (row.actor_id, row.actor_name) == (str(account.pk), "operator-ada")
        assert (row.door, row.via) == ("api", "POST /api/ingest/run/tmdb.discover")
        assert (row.address, row.correlation_id) == ("203.0.113.9", "seen-7")

    @pytest.mark.parametrize(("path", "door"), [("/admin/x/", "admin"), ("/watch/5", "page")])
    def test_each_part_of_the_site_is_a_door(self, path: str, door: str) -> None:
        row = self.through(RequestFactory().post(path))
        assert (row.door, row.actor_id, row.actor_name) == (door, "", "")

    def test_of_an_ipv6_address_the_network_is_kept(self) -> None:
        assert self.through(RequestFactory().post("/", REMOTE_ADDR="2001:db8::7:8")).address == "2001:db8::"

    def test_a_command_is_its_own_door_and_answerable_for_those_that_it_calls(self) -> None:
        with doors.at_terminal("setup"), doors.at_terminal("collectstatic"):
            audit.record(Action.SYSTEM_SETUP)
        row = the_end()
        assert (row.door, row.via) == ("command", "manage.py setup")
        assert row.actor_name
        assert row.address
        assert row.correlation_id

    def test_without_a_door_it_is_a_job(self) -> None:
        audit.record(Action.JOB_START)
        assert (the_end().door, the_end().actor_name) == ("job", "")


class TestMasks:
    """Whatever is recorded fits every database, and shows no secret."""

    @pytest.mark.parametrize(
        ("given", "kept"),
        [
            ({"api_token": "hush-hush"}, {"api_token": "***"}),
            ({"api_token": "set anew"}, {"api_token": "set anew"}),
            ({"base_url": "https://ada:hush-hush@cdn.example/a"}, {"base_url": "https://***@cdn.example/a"}),
            (
                {"base_url": "https://cdn.example/a?token=hush"},
                {"base_url": "https://cdn.example/a?token=***"},
            ),
            ({"username": "ada"}, {"username": "ada"}),
            ({"a.b": 1, "$gt": {"$ne": 2}}, {"a_b": 1, "_gt": {"_ne": 2}}),
            (
                {"big": 2**70, "nan": float("nan"), "at": NOW},
                {"big": "a giant number", "nan": "nan", "at": str(NOW)},
            ),
            ({"nul": "a\x00b", "half": "\ud83d"}, {"nul": "a\ufffdb", "half": "?"}),
            ({"long": "x" * 900, "many": [1] * 90}, {"long": "x" * 500, "many": [1] * 50}),
        ],
    )
    def test_values(self, given: dict[str, Any], kept: dict[str, Any]) -> None:
        audit.record(Action.PROVIDER_CHANGE, "library", after=given)
        assert the_end().after == kept

    def test_deep_values_end_somewhere(self) -> None:
        deep: Any = 1
        for _ in range(50):
            deep = {"a": deep}
        assert len(str(masks.plain(deep))) < 3000

    def test_what_this_installation_keeps_secret_is_masked_wherever_it_is_pasted(self, settings: Any) -> None:
        settings.METRICS_TOKEN = "of-the-metrics-0123456789"
        audit.record(Action.JOB_START, why=f"I used {settings.METRICS_TOKEN} and {settings.SECRET_KEY}.")
        assert the_end().why == "I used *** and ***."

    def test_a_secret_that_the_end_of_the_text_would_cut_in_two_is_left_out(self, settings: Any) -> None:
        settings.METRICS_TOKEN = "of-the-metrics-0123456789"
        masked = settings.METRICS_TOKEN * 30  # which makes room for what follows
        for number, before in enumerate(("x" * 490, masked + "x" * 240)):
            audit.record(Action.JOB_START, number, why=before + settings.METRICS_TOKEN)
            assert "of-the" not in the_end(target_key=str(number)).why


def test_the_first_key_of_a_moment_lies_between_earlier_and_later_ones() -> None:
    floor = floor_of(NOW)
    assert uuid7_of(NOW - timedelta(milliseconds=1), "a") < floor < uuid7_of(NOW, "a")
    assert floor_of(datetime.now(UTC) - timedelta(seconds=1)) < uuid7()
