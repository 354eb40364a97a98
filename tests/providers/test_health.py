"""The back-off ladder as a table to be checked by eye, reliability, and many workers who note at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
from django.db import connection

from providers import health, noting
from providers.errors import (
    ProviderBadResponse,
    ProviderError,
    ProviderMisconfigured,
    ProviderPermanent,
    ProviderRateLimited,
    ProviderRefused,
    ProviderTransient,
)
from providers.health import LADDER, Columns
from providers.models import Provider, ProviderHour
from streaming.policy import decide
from streaming.policy_types import Action, Candidate, Rules
from streaming.quality import Quality

ASKED = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
AT = ASKED + timedelta(seconds=2)

DOWN = ProviderTransient("failed with HTTP 500", status=500)
SLOW = ProviderTransient("no complete answer in time")
NO_HOST = ProviderTransient("films.example.org did not resolve", unreachable=True)
GARBAGE = ProviderBadResponse("the answer is not JSON")
REFUSED = ProviderPermanent("refused with HTTP 404", status=404)
GUARDED = ProviderRefused("films.example.org has no public address")
BAD_KEY = ProviderMisconfigured("base_url is required")
OUR_PACE = ProviderRateLimited("the next free slot is 90 s away", retry_after_s=90)


def told_to_wait(seconds: float | None) -> ProviderRateLimited:
    return ProviderRateLimited("asked us to slow down", status=429, retry_after_s=seconds)


class Row(NamedTuple):
    story: str
    rung: int
    error: ProviderError | None  # None: it answered
    then: int
    wait: str  # from the failure on; "": it may be asked at once


TABLE = [
    #   what happens                                     rung  error               then  wait
    Row("the first failure waits a minute",                0, DOWN,                   1, "1 min"),
    Row("the second in a row waits five",                  1, DOWN,                   2, "5 min"),
    Row("then a quarter of an hour",                       2, SLOW,                   3, "15 min"),
    Row("then half an hour",                               3, GARBAGE,                4, "30 min"),
    Row("then an hour",                                    4, DOWN,                   5, "1 h"),
    Row("then three",                                      5, DOWN,                   6, "3 h"),
    Row("then six",                                        6, DOWN,                   7, "6 h"),
    Row("then twelve",                                     7, DOWN,                   8, "12 h"),
    Row("then a day",                                      8, DOWN,                   9, "24 h"),
    Row("and never longer",                                9, DOWN,                   9, "24 h"),
    Row("an answer keeps a healthy one where it is",       0, None,                   0, ""),
    Row("an answer steps one rung down, no further",       9, None,                   8, ""),
    Row("until none is left",                              1, None,                   0, ""),
    Row("a host out of reach waits a minute",              0, NO_HOST,                1, "1 min"),
    Row("and again a minute",                              1, NO_HOST,                1, "1 min"),
    Row("but forgets no rung that others have climbed",    5, NO_HOST,                5, "1 h"),
    Row("a 429 without a word is a failure like others",   0, told_to_wait(None),     1, "1 min"),
    Row("so is one that asks for no pause at all",         0, told_to_wait(0),        1, "1 min"),
    Row("a 429 goes to the rung that covers its word",     0, told_to_wait(60),       1, "1 min"),
    Row("which may be many rungs up",                      0, told_to_wait(61),       2, "5 min"),
    Row("as far as",                                       0, told_to_wait(3600),     5, "1 h"),
    Row("the last",                                        0, told_to_wait(86_400),   9, "24 h"),
    Row("a short word does not lead down",                 4, told_to_wait(30),       5, "1 h"),
    Row("a wrong setting is for the operator to mend",     0, BAD_KEY,                0, ""),
    Row("a refused request too",                           2, REFUSED,                2, ""),
    Row("and what our own guard does not send",            0, GUARDED,                0, ""),
    Row("our own pace is no failing of theirs",            0, OUR_PACE,               0, ""),
]  # fmt: skip

PAUSES = {
    "": timedelta(0),
    "1 min": timedelta(minutes=1), "5 min": timedelta(minutes=5), "15 min": timedelta(minutes=15),
    "30 min": timedelta(minutes=30), "1 h": timedelta(hours=1), "3 h": timedelta(hours=3),
    "6 h": timedelta(hours=6), "12 h": timedelta(hours=12), "24 h": timedelta(hours=24),
}  # fmt: skip


def provider(**columns: object) -> Provider:
    return Provider(slug="films", label="Films", adapter="library", enabled=True, **columns)


def apply(to: Provider, columns: Columns) -> Provider:
    for name, value in columns.items():
        setattr(to, name, value)
    return to


def failed(to: Provider, error: ProviderError = DOWN, *, asked_at: datetime = ASKED) -> Provider:
    at = asked_at + (AT - ASKED)
    return apply(to, health.after_failure(to, error, asked_at=asked_at, at=at))


def answered(to: Provider, *, latency_ms: int = 100, asked_at: datetime = ASKED) -> Provider:
    at = asked_at + (AT - ASKED)
    return apply(to, health.after_success(to, latency_ms=latency_ms, asked_at=asked_at, at=at))


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.story)
def test_the_ladder(row: Row) -> None:
    over = ASKED - timedelta(minutes=1) if row.rung else None
    films = provider(backoff_rung=row.rung, backoff_until=over)
    films = failed(films, row.error) if row.error else answered(films)
    assert films.backoff_rung == row.then
    assert health.may_be_asked(films, AT + PAUSES[row.wait])
    if row.wait:
        assert films.backoff_until == AT + PAUSES[row.wait], "the pause begins with the failure"
        assert not health.may_be_asked(films, AT + PAUSES[row.wait] - timedelta(seconds=1))


def test_the_table_names_every_rung() -> None:
    assert list(PAUSES.values()) == list(LADDER)


def test_one_that_is_off_is_never_asked() -> None:
    assert not health.may_be_asked(Provider(slug="films", enabled=False), AT)


def test_questions_under_way_together_climb_one_rung_for_one_outage() -> None:
    films = provider()
    for _ in range(8):
        failed(films)
    assert (films.backoff_rung, films.backoff_until) == (1, AT + LADDER[1])
    assert films.success_rate == pytest.approx(1 - health.WEIGHT)


def test_the_next_outage_climbs_the_next_rung() -> None:
    films = failed(provider())
    assert films.backoff_until is not None
    assert failed(films, asked_at=films.backoff_until).backoff_rung == 2


def test_an_answer_that_was_under_way_does_not_end_a_back_off() -> None:
    films = answered(failed(provider(), told_to_wait(3600)))
    assert (films.backoff_rung, films.backoff_until) == (5, AT + LADDER[5])
    assert films.last_ok_at == AT


def test_a_429_that_was_under_way_lengthens_a_back_off_and_nothing_shortens_it() -> None:
    films = failed(failed(provider()), told_to_wait(3600))
    assert (films.backoff_rung, films.backoff_until) == (5, AT + LADDER[5])
    assert failed(films, asked_at=ASKED - timedelta(minutes=1)).backoff_until == AT + LADDER[5]


@pytest.mark.parametrize("error", [BAD_KEY, REFUSED, GUARDED, OUR_PACE], ids=lambda e: e.code)
def test_what_is_not_its_failing_is_told_and_costs_no_reliability(error: ProviderError) -> None:
    films = failed(provider(), error)
    assert (films.success_rate, films.backoff_until) == (1.0, None)
    assert (films.last_error, films.last_error_at) == (str(error), AT)


def test_a_long_outage_of_our_own_line_costs_a_provider_one_slip() -> None:
    films, moment = provider(), ASKED
    for _ in range(180):
        failed(films, NO_HOST, asked_at=moment)
        moment += timedelta(minutes=2)
    assert films.success_rate == pytest.approx(1 - health.WEIGHT)


def test_an_error_is_kept_at_500_characters() -> None:
    assert len(failed(provider(), ProviderBadResponse("x" * 900)).last_error) == 500


def test_latency_is_the_first_answers_then_a_mean_that_follows() -> None:
    films = answered(provider(), latency_ms=400)
    assert films.latency_ms == 400
    assert answered(films, latency_ms=1400).latency_ms == pytest.approx(400 + 1000 * health.WEIGHT)


@pytest.mark.parametrize(
    ("columns", "reliability"),
    [
        ({}, 1.0),
        ({"success_rate": 0.5}, 0.5),
        ({"honesty": 0.6}, 0.6),
        ({"success_rate": 0.5, "honesty": 0.6}, 0.3),
        ({"latency_ms": 1_000}, 1.0),
        ({"latency_ms": 8_000}, 0.8),
        ({"latency_ms": 15_000}, 0.5),
        ({"latency_ms": 600_000}, 0.5),
        ({"success_rate": 0.0}, 0.0),
    ],
    ids=str,
)
def test_reliability(columns: dict[str, float], reliability: float) -> None:
    assert provider(**columns).reliability == pytest.approx(reliability, abs=0.051)
    assert provider(**columns).reliability * 10 == round(provider(**columns).reliability * 10)


def test_one_slip_does_not_move_reliability_and_a_bad_week_does() -> None:
    films = failed(provider())
    assert films.reliability == 1.0
    while films.backoff_until and films.backoff_until < ASKED + timedelta(days=7):
        failed(films, asked_at=films.backoff_until)
    assert films.reliability <= 0.6


def test_a_claim_that_proves_false_costs_honesty_and_one_that_is_outdone_does_not() -> None:
    films = provider()
    assert health.after_measurement(films, claimed=4, measured=4) == {"honesty": 1.0}
    assert health.after_measurement(films, claimed=3, measured=4) == {"honesty": 1.0}
    assert health.after_measurement(films, claimed=4, measured=3)["honesty"] < 1.0


def test_reliability_that_turns_over_moves_no_stream() -> None:
    def version(key: str, reliability: float) -> Candidate:
        quality = Quality.P1080
        return Candidate(
            key=key, claimed=quality, verified=quality, reliability=reliability, first_seen=ASKED
        )

    for a, b in [(1.0, 0.9), (0.9, 1.0), (0.1, 1.0)]:
        decision = decide("a", [version("a", a), version("b", b)], Rules(), AT)
        assert (decision.action, decision.chosen) == (Action.KEEP, "a")


@pytest.fixture
def films(db: None) -> Provider:
    films = provider()
    films.save(force_insert=True)
    return films


def test_what_is_noted_is_stored_and_its_holder_knows(films: Provider) -> None:
    health.note(films, lambda row: health.after_failure(row, DOWN, asked_at=ASKED, at=AT))
    stored = Provider.objects.get(pk=films.pk)
    assert stored.backoff_rung == films.backoff_rung == 1
    assert stored.backoff_until == films.backoff_until == AT + LADDER[1]


def test_a_row_that_changes_while_it_is_judged_is_judged_again(films: Provider) -> None:
    seen = []

    def change(row: Provider) -> Columns:
        seen.append(row.backoff_rung)
        if len(seen) == 1:
            Provider.objects.filter(pk=row.pk).update(backoff_rung=5, backoff_until=ASKED)
        return health.after_failure(row, DOWN, asked_at=ASKED, at=AT)

    health.note(films, change)
    assert seen == [0, 5]
    assert Provider.objects.get(pk=films.pk).backoff_rung == 6


def test_noting_leaves_alone_what_an_operator_sets(films: Provider) -> None:
    Provider.objects.filter(pk=films.pk).update(enabled=False, config={"base_url": "http://moved"})
    health.note(films, lambda row: health.after_trouble("gone", at=AT))
    stored = Provider.objects.get(pk=films.pk)
    assert (stored.enabled, stored.config) == (False, {"base_url": "http://moved"})


def test_a_provider_that_was_deleted_meanwhile_is_not_made_again(films: Provider) -> None:
    Provider.objects.filter(pk=films.pk).delete()
    health.note(films, lambda row: health.after_trouble("gone", at=AT))
    assert not Provider.objects.exists()


def test_a_row_that_never_holds_still_is_given_up_aloud(
    films: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    def change(row: Provider) -> Columns:
        Provider.objects.filter(pk=row.pk).update(backoff_rung=row.backoff_rung + 1)
        return {"backoff_rung": 0}

    health.note(films, change)
    assert "films: its health was changed" in caplog.text


def test_many_workers_note_at_once_and_not_one_word_is_lost(transactional_db: None) -> None:
    films = provider()
    films.save(force_insert=True)
    workers, each = 4, 5
    together = threading.Barrier(workers)

    def work(_: int) -> None:
        together.wait(10)
        for _ in range(each):
            health.note(Provider(pk="films"), lambda row: {"backoff_rung": row.backoff_rung + 1})
        connection.close()

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, range(workers)))
    assert Provider.objects.get(pk="films").backoff_rung == workers * each


@pytest.mark.django_db
def test_one_whose_newest_word_is_a_refused_key_is_failing_until_it_answers() -> None:
    made = {"label": "Films", "adapter": "library", "enabled": True, "last_ok_at": ASKED}
    films = Provider.objects.create(slug="films", **made)
    assert health.state(films, AT) is health.State.ON
    refused = ProviderMisconfigured("does not let us in", status=401)
    noting.failed(films, refused, asked_at=AT, at=AT)
    assert health.state(films, AT) is health.State.FAILING
    assert ProviderHour.objects.get().failed == 1
    noting.answered(films, latency_ms=20, asked_at=AT, at=AT + LADDER[1])
    assert health.state(films, AT + LADDER[1]) is health.State.ON
