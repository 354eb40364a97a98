"""What a probe makes of a stream: a table of outcomes and states, then the same on rows."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.types import STRIKES, ProbeOutcome, ProbeResult
from streaming import switching, verification
from streaming.errors import UnknownVersion
from streaming.models import Movie, StreamSwitch, StreamVersion
from streaming.quality import Quality
from streaming.verification import JITTER, columns_after, routine_check
from tests.streaming import factory
from tests.streaming.factory import NOW

State = StreamVersion.State
Outcome = ProbeOutcome
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


class Row(NamedTuple):
    """A stream in `state` with `strikes`, due in `due`, and what `outcome` makes of it. None: unchanged."""

    state: State
    strikes: int
    due: timedelta
    outcome: Outcome
    then: State | None
    then_strikes: int | None
    then_due: timedelta | None


ROUTINE, SECOND, OUTAGE = 12 * HOUR, 2 * MINUTE, 15 * MINUTE
NEW, FINE, SUSPECT, BROKEN = State.UNVERIFIED, State.HEALTHY, State.SUSPECT, State.BROKEN

# fmt: off
TABLE = [
    # Whatever it was, a stream that plays is healthy and has no strikes.
    Row(NEW,     0, 0 * HOUR,  Outcome.OK,            FINE,    0,    ROUTINE),
    Row(FINE,    0, 0 * HOUR,  Outcome.OK,            FINE,    0,    ROUTINE),
    Row(SUSPECT, 1, 0 * HOUR,  Outcome.OK,            FINE,    0,    ROUTINE),
    Row(SUSPECT, 1, 1 * MINUTE, Outcome.OK,           FINE,    0,    ROUTINE),
    Row(BROKEN,  2, 0 * HOUR,  Outcome.OK,            FINE,    0,    ROUTINE),
    # The first strike makes it suspect; it is looked at again minutes later.
    Row(NEW,     0, 0 * HOUR,  Outcome.DEAD,          SUSPECT, 1,    SECOND),
    Row(FINE,    0, 0 * HOUR,  Outcome.DEAD,          SUSPECT, 1,    SECOND),
    Row(FINE,    0, 9 * HOUR,  Outcome.FORBIDDEN,     SUSPECT, 1,    SECOND),
    Row(FINE,    0, 0 * HOUR,  Outcome.UNEMBEDDABLE,  SUSPECT, 1,    SECOND),
    # The second one breaks it, but only once those minutes are over.
    Row(SUSPECT, 1, 0 * HOUR,  Outcome.DEAD,          BROKEN,  2,    ROUTINE),
    Row(SUSPECT, 1, -5 * MINUTE, Outcome.FORBIDDEN,   BROKEN,  2,    ROUTINE),
    Row(SUSPECT, 1, 1 * MINUTE, Outcome.DEAD,         None,    None, None),
    Row(SUSPECT, 1, 1 * MINUTE, Outcome.UNEMBEDDABLE, None,    None, None),
    # What is broken stays so.
    Row(BROKEN,  2, 0 * HOUR,  Outcome.DEAD,          BROKEN,  3,    ROUTINE),
    Row(BROKEN,  0, 0 * HOUR,  Outcome.DEAD,          BROKEN,  1,    ROUTINE),
    # An outage of the provider says nothing about the stream: it is only asked again.
    Row(NEW,     0, 0 * HOUR,  Outcome.PROVIDER_DOWN, None,    None, OUTAGE),
    Row(FINE,    0, 0 * HOUR,  Outcome.PROVIDER_DOWN, None,    None, OUTAGE),
    Row(FINE,    0, 9 * HOUR,  Outcome.THROTTLED,     None,    None, OUTAGE),
    Row(FINE,    0, 0 * HOUR,  Outcome.INCONCLUSIVE,  None,    None, OUTAGE),
    Row(SUSPECT, 1, 0 * HOUR,  Outcome.PROVIDER_DOWN, None,    None, OUTAGE),
    Row(BROKEN,  2, 0 * HOUR,  Outcome.INCONCLUSIVE,  None,    None, OUTAGE),
    # … and a check that is due sooner stays where it is.
    Row(SUSPECT, 1, 1 * MINUTE, Outcome.PROVIDER_DOWN, None,   None, 1 * MINUTE),
]
# fmt: on


def result(outcome: ProbeOutcome, width: int = 1920, height: int = 804, **more: Any) -> ProbeResult:
    return ProbeResult(outcome=outcome, evidence=f"it was {outcome}", width=width, height=height, **more)


def stream(state: State, strikes: int, due: datetime | None, delivery: str = "hls") -> StreamVersion:
    facts = {"verified_quality": Quality.P720, "width": 1280, "height": 720}
    return StreamVersion(state=state, strikes=strikes, next_check_at=due, delivery=delivery, **facts)


def due_after(pause: timedelta | None) -> datetime | None:
    if pause == ROUTINE:
        return routine_check(StreamVersion().pk, NOW)
    return None if pause is None else NOW + pause


@pytest.mark.parametrize("row", TABLE, ids=lambda r: f"{r.state}-{r.strikes}-{r.due}-{r.outcome}")
def test_outcome_by_state(row: Row) -> None:
    columns = columns_after(stream(row.state, row.strikes, NOW + row.due), result(row.outcome), NOW)
    assert columns.get("state") == row.then
    assert columns.get("strikes") == row.then_strikes
    assert columns.get("next_check_at") == due_after(row.then_due)
    assert (columns["last_outcome"], columns["probed_at"]) == (row.outcome.value, NOW)
    assert ("verified_quality" in columns) == (row.outcome is Outcome.OK)


def test_the_table_has_every_outcome_for_every_state_or_its_like() -> None:
    assert {row.outcome for row in TABLE} == set(Outcome)
    for state in State:
        outcomes = {row.outcome for row in TABLE if row.state == state}
        assert Outcome.OK in outcomes
        assert outcomes & STRIKES
        assert outcomes - STRIKES - {Outcome.OK}


@given(st.uuids(), st.timedeltas(timedelta(0), timedelta(days=9000)))
def test_a_routine_check_comes_in_twelve_hours_or_a_tenth_more_or_less(key: UUID, later: timedelta) -> None:
    at = NOW + later
    due = routine_check(key, at)
    assert (1 - JITTER) * ROUTINE <= due - at <= (1 + JITTER) * ROUTINE
    assert due == routine_check(key, at)
    assert (due - at) % timedelta(seconds=1) == timedelta(0), "MongoDB would keep no microseconds"


def test_streams_that_were_probed_together_come_due_apart() -> None:
    """A thousand of them over 144 minutes: none has twice its share of minutes, of which seven are fair."""
    keys = [UUID(int=number) for number in range(1000)]
    minutes = Counter((routine_check(key, NOW) - NOW) // MINUTE for key in keys)
    assert len(minutes) > 130
    assert max(minutes.values()) < 20
    later = NOW + ROUTINE
    kept = [key for key in keys if routine_check(key, later) - later == routine_check(key, NOW) - NOW]
    assert len(kept) < 10, "drawn anew each time"


def test_what_plays_is_what_was_measured() -> None:
    found = result(Outcome.OK, bitrate_bps=5_000_000, codecs="avc1.640028", duration_s=10.5, latency_ms=40)
    columns = columns_after(stream(State.UNVERIFIED, 0, None), found, NOW)
    wanted = {"verified_quality": Quality.P1080, "width": 1920, "height": 804, "bitrate_bps": 5_000_000}
    wanted |= {"codecs": "avc1.640028", "duration_s": 10.5, "latency_ms": 40}
    assert {name: columns[name] for name in wanted} == wanted


def test_an_embed_plays_but_its_picture_cannot_be_measured() -> None:
    columns = columns_after(stream(State.UNVERIFIED, 0, None, "embed"), result(Outcome.OK, 0, 0), NOW)
    assert (columns["state"], columns["verified_quality"]) == (State.HEALTHY, None)


def test_what_a_probe_sees_of_an_embed_is_not_its_picture() -> None:
    """The size may be that of its page, or of a trailer."""
    columns = columns_after(stream(State.UNVERIFIED, 0, None, "embed"), result(Outcome.OK), NOW)
    assert columns["verified_quality"] is None


def test_words_of_a_provider_fit_their_columns() -> None:
    found = ProbeResult(outcome=Outcome.OK, evidence="x" * 9000, codecs="y" * 9000, width=1, height=1)
    columns = columns_after(stream(State.HEALTHY, 0, None), found, NOW)
    assert (len(columns["evidence"]), len(columns["codecs"])) == (500, 120)


states = st.sampled_from(list(State))
dues = st.none() | st.timedeltas(timedelta(days=-9), timedelta(days=9)).map(lambda wait: NOW + wait)


@given(states, st.integers(0, 40_000), dues, st.sampled_from(list(Outcome)))
def test_no_probe_ever_breaks_a_stream_at_once_or_forgets_to_look_again(
    state: State, strikes: int, due: datetime | None, outcome: ProbeOutcome
) -> None:
    strikes = {State.HEALTHY: 0, State.UNVERIFIED: 0, State.SUSPECT: 1}.get(state, strikes)
    columns = columns_after(stream(state, strikes, due), result(outcome), NOW)
    if columns.get("state") == State.BROKEN:
        assert state in (State.SUSPECT, State.BROKEN)
        assert outcome in STRIKES
    if outcome not in STRIKES and outcome is not Outcome.OK:
        assert not {"state", "strikes", "verified_quality"} & columns.keys()
    again = columns.get("next_check_at", due)
    assert again is not None
    assert again > NOW
    assert columns.get("strikes", 0) <= 1000


# --- on rows


@pytest.fixture
def playing(db: None) -> StreamVersion:
    """The active stream of a movie, which has a lower one to fall back on."""
    movie = factory.movie()
    factory.version(movie, "lower", Quality.P720)
    factory.version(movie, "higher", Quality.P1080, width=1920, height=804)
    switching.reconsider(movie.pk, at=NOW)
    return StreamVersion.objects.get(pk=Movie.objects.get().active_stream_id)


def record(version: StreamVersion, outcome: ProbeOutcome, after: timedelta = MINUTE, **more: Any) -> Any:
    return verification.record(version.pk, result(outcome, **more), at=NOW + after)


def test_a_stream_on_trial_that_plays_is_on_trial_no_more(playing: StreamVersion) -> None:
    StreamVersion.objects.filter(pk=playing.pk).update(canary_failures=2)
    assert playing.on_trial
    verdict = record(playing, Outcome.OK)
    assert (verdict.struck, verdict.broke) == (False, False)
    playing.refresh_from_db()
    assert (playing.on_trial, playing.canary_failures) == (False, 0)


def test_a_probe_from_before_the_switch_ends_no_trial(playing: StreamVersion) -> None:
    due = playing.next_check_at
    record(playing, Outcome.OK, MINUTE / 2)
    playing.refresh_from_db()
    assert (playing.on_trial, playing.next_check_at) == (True, due)


def test_a_strike_before_its_trial_is_due_has_its_second_chance_minutes_later(
    playing: StreamVersion,
) -> None:
    record(playing, Outcome.DEAD, MINUTE / 2)
    playing.refresh_from_db()
    assert playing.next_check_at == NOW + MINUTE / 2 + SECOND


def test_a_stream_that_moves_while_on_trial_stays_on_trial(playing: StreamVersion) -> None:
    due, there = playing.next_check_at, {"url": "https://elsewhere.example/a.m3u8"}
    verification.record(playing.pk, result(Outcome.OK), at=NOW + MINUTE / 2, moved_to=there)
    playing.refresh_from_db()
    assert (playing.url, playing.on_trial, playing.next_check_at) == (there["url"], True, due)


@pytest.mark.parametrize("outcome", [Outcome.DEAD, Outcome.PROVIDER_DOWN, Outcome.INCONCLUSIVE])
def test_a_trial_is_passed_by_playing_alone(playing: StreamVersion, outcome: ProbeOutcome) -> None:
    record(playing, outcome)
    playing.refresh_from_db()
    assert playing.on_trial


def test_two_strikes_minutes_apart_break_it_and_ten_at_once_do_not(playing: StreamVersion) -> None:
    first = [record(playing, Outcome.DEAD, HOUR + timedelta(seconds=n)) for n in range(10)]
    assert [(v.struck, v.broke) for v in first] == [(True, False)] * 10
    assert first[-1].version.strikes == 1
    verdict = record(playing, Outcome.DEAD, HOUR + 2 * MINUTE)
    assert (verdict.struck, verdict.broke, verdict.version.strikes) == (True, True, 2)
    assert record(playing, Outcome.OK, 2 * HOUR).version.state == State.HEALTHY


def test_an_outage_changes_nothing_that_anyone_sees(playing: StreamVersion) -> None:
    turns = StreamSwitch.objects.count()
    for n in range(20):
        assert not record(playing, Outcome.PROVIDER_DOWN, n * HOUR).struck
    playing.refresh_from_db()
    assert (playing.state, playing.strikes, playing.verified_quality) == (State.HEALTHY, 0, Quality.P1080)
    assert StreamSwitch.objects.count() == turns


def test_another_quality_than_was_announced_is_a_turn_of_the_log(playing: StreamVersion) -> None:
    record(playing, Outcome.OK, width=1280, height=720)
    row = StreamSwitch.objects.of(playing.movie_id)[0]
    assert (row.reason, row.seq, row.to_quality) == ("revised", 2, Quality.P720)
    assert row.after["quality"] == "720p"
    assert Movie.objects.get().active_quality == Quality.P720


def test_the_same_measurement_again_is_no_turn(playing: StreamVersion) -> None:
    for n in range(3):
        record(playing, Outcome.OK, n * HOUR)
    assert StreamSwitch.objects.count() == 1


@pytest.mark.django_db
def test_a_version_that_is_gone_is_unknown() -> None:
    nobody = StreamVersion(pk=StreamVersion.key_for(1, "x", "y", "z"))
    with pytest.raises(UnknownVersion):
        record(nobody, Outcome.OK)


# --- look_soon


def look_soon(version: StreamVersion, after: timedelta) -> bool:
    sooner = verification.look_soon(version.pk, at=NOW + after)
    version.refresh_from_db()
    return sooner


def test_a_complaint_makes_the_next_look_due(playing: StreamVersion) -> None:
    record(playing, Outcome.OK, HOUR)
    assert look_soon(playing, 2 * HOUR)
    assert playing.next_check_at == NOW + 2 * HOUR
    assert not look_soon(playing, 2 * HOUR)


def test_complaints_do_not_have_a_provider_asked_again_and_again(playing: StreamVersion) -> None:
    record(playing, Outcome.OK, HOUR)
    assert not look_soon(playing, HOUR + MINUTE)
    assert playing.next_check_at == routine_check(playing.pk, NOW + HOUR)
    assert look_soon(playing, HOUR + 2 * MINUTE)


def test_a_complaint_does_not_hurry_a_trial(playing: StreamVersion) -> None:
    due = playing.next_check_at
    assert not look_soon(playing, MINUTE / 2)
    assert playing.next_check_at == due


def test_a_complaint_does_not_hurry_the_second_strike(playing: StreamVersion) -> None:
    record(playing, Outcome.DEAD, HOUR)
    assert not look_soon(playing, HOUR + MINUTE)
    assert playing.next_check_at == NOW + HOUR + 2 * MINUTE


def test_a_complaint_does_not_hurry_a_second_strike_that_an_outage_put_off(playing: StreamVersion) -> None:
    record(playing, Outcome.OK, MINUTE)  # and so on trial no more
    record(playing, Outcome.DEAD, HOUR)
    record(playing, Outcome.PROVIDER_DOWN, HOUR + 2 * MINUTE)
    assert not look_soon(playing, HOUR + 5 * MINUTE)
    assert playing.next_check_at == NOW + HOUR + 17 * MINUTE
