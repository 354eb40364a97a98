"""Matching from end to end: search, measure, decide, switch, against a real origin with real media."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from core import conf
from ingestion.models import IngestLog, IngestRun, Job
from providers.models import Provider
from providers.types import ProbeOutcome, ProbeResult
from streaming import switching, verification
from streaming.models import Movie, StreamSwitch, StreamVersion
from streaming.quality import Quality
from tests.ingestion.conftest import AT
from tests.ingestion.world import World, active, active_label, run, succeeded
from tests.streaming.factory import EDITOR

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
FILM = 961
State = StreamVersion.State


@pytest.fixture
def film(world: World) -> int:
    world.film(FILM, "The General")
    succeeded(Job.DISCOVER, at=AT)
    IngestRun.objects.all().delete()
    return FILM


def match(minutes: float = 0) -> dict[str, Any]:
    return succeeded(Job.MATCH, movie_id=FILM, at=AT + minutes * MINUTE)


def tick(minutes: float) -> dict[str, Any]:
    return succeeded(Job.TICK, at=AT + minutes * MINUTE)


def version(ref: str) -> StreamVersion:
    return StreamVersion.objects.get(ref=ref)


def story() -> list[str]:
    return list(StreamSwitch.objects.order_by("seq").values_list("reason", flat=True))


def messages(*statuses: IngestLog.Status) -> str:
    return "\n".join(IngestLog.objects.filter(status__in=statuses).values_list("message", flat=True))


def test_discover_match_upgrade(world: World, film: int) -> None:
    low = world.rendition("low.mp4", "720p")
    world.offer(film, low, max_age=45)
    assert match()["reason"] == "first"
    assert active_label(film) == "720p"
    assert Movie.objects.get().next_check_at == AT + timedelta(seconds=45)

    world.offer(film, low, world.rendition("high.mp4", "1080p"), max_age=45)
    assert tick(1)["searches"] == 1, "the library said when to ask again"
    queued = IngestRun.objects.get(job=Job.MATCH, status=IngestRun.Status.QUEUED)
    assert queued.movie_id == film
    IngestRun.objects.filter(pk=queued.pk).delete()

    assert match(1)["reason"] == "upgrade"
    assert active_label(film) == "1080p"
    assert story() == ["first", "upgrade"]
    assert "The General (1926): upgraded (720p to 1080p)." in messages(IngestLog.Status.UPGRADED)


def test_searching_again_changes_nothing(world: World, film: int) -> None:
    world.offer(film, world.rendition("low.mp4", "720p"))
    match()
    tick(2)
    before = world.asked_for("/media/low.mp4")
    summary = match(10)
    assert (summary["new"], summary["probed"], summary["switch"]) == (0, 0, None)
    assert world.asked_for("/media/low.mp4") == before
    assert StreamVersion.objects.count() == StreamSwitch.objects.count() == 1
    assert version("low.mp4").last_seen == AT + 10 * MINUTE


def test_a_lie_about_quality_is_measured_and_said(world: World, film: int) -> None:
    world.offer(film, world.rendition("boast.mp4", "1080p", claims="4K UHD"))
    match()
    boast = version("boast.mp4")
    assert (boast.claimed_quality, boast.verified_quality) == (Quality.P2160, Quality.P1080)
    assert active_label(film) == "1080p"
    assert "1920x804, though 4K UHD is claimed" in messages(IngestLog.Status.WARNING)
    assert Provider.objects.get().honesty < 1


def test_a_true_2160p_is_taken_once_it_is_there(world: World, film: int) -> None:
    boast = world.rendition("boast.mp4", "1080p", claims="2160p")
    world.offer(film, boast)
    match()
    world.offer(film, boast, world.rendition("true.mp4", "2160p"))
    match(2)
    assert active_label(film) == "2160p"
    movie = Movie.objects.get()
    assert (movie.refresh_at, movie.next_check_at) == (None, None), "the target ends the search"


def test_a_broken_active_stream_fails_over_after_two_strikes(world: World, film: int) -> None:
    world.offer(film, world.rendition("high.mp4", "1080p"), world.rendition("low.mp4", "720p"))
    match()
    tick(2)
    assert not active(film).on_trial  # type: ignore[union-attr]
    world.broken("/media/high.mp4")
    StreamVersion.objects.filter(ref="high.mp4").update(next_check_at=AT + 10 * MINUTE)
    tick(10)
    assert (active_label(film), version("high.mp4").state) == ("1080p", State.SUSPECT)
    tick(11)
    assert active_label(film) == "1080p", "the second strike comes minutes later"
    tick(12)
    assert (active_label(film), version("high.mp4").state) == ("720p", State.BROKEN)
    assert story() == ["first", "failover"]
    movie = Movie.objects.get()
    assert movie.next_check_at == AT + 12 * MINUTE, "a movie that lost its stream is searched for at once"


def test_a_stream_that_fails_right_after_the_switch_is_left_at_once(world: World, film: int) -> None:
    world.offer(film, world.rendition("high.mp4", "1080p"), world.rendition("low.mp4", "720p"))
    match()
    world.broken("/media/high.mp4")
    tick(1)
    high = version("high.mp4")
    assert active_label(film) == "720p"
    assert (high.suppressed_until, high.state) == (AT + 61 * MINUTE, State.SUSPECT)


def test_a_movie_that_loses_its_stream_on_trial_is_searched_for_at_once(world: World, film: int) -> None:
    world.offer(film, world.rendition("high.mp4", "1080p"))
    match()
    world.broken("/media/high.mp4")
    tick(1)
    assert active(film) is None
    assert Movie.objects.get().next_check_at == AT + MINUTE


def test_a_movie_that_lost_its_stream_does_not_wait_on_the_ladder_of_before(world: World, film: int) -> None:
    world.offer(film, world.rendition("low.mp4", "720p"))
    match()
    Movie.objects.update(refresh_at=AT + 30 * DAY, fruitless_searches=4)
    StreamVersion.objects.update(rights_until=AT + 5 * MINUTE)
    tick(5)
    world.offer(film)
    IngestRun.objects.filter(status=IngestRun.Status.QUEUED).delete()
    match(6)
    assert Movie.objects.get().refresh_at == AT + 6 * MINUTE + DAY


def test_no_switch_leads_to_a_provider_that_is_down(world: World, film: int) -> None:
    """It was measured well once; the probe before the switch could not see it."""
    world.offer(film, world.rendition("high.mp4", "1080p"), world.rendition("low.mp4", "720p"))
    match()
    switching.suppress(version("high.mp4").pk, actor=EDITOR, comment="", at=AT, until=AT + 30 * MINUTE)
    world.broken("/media/high.mp4", status=503)
    tick(31)
    assert version("high.mp4").last_outcome == ProbeOutcome.PROVIDER_DOWN
    assert active_label(film) == "720p"
    world.stream("high.mp4", "1080p")
    tick(46)
    assert active_label(film) == "1080p"


def test_a_suppression_that_ends_is_followed_by_a_probe_and_a_decision(world: World, film: int) -> None:
    world.offer(film, world.rendition("high.mp4", "1080p"), world.rendition("low.mp4", "720p"))
    match()
    switching.suppress(version("high.mp4").pk, actor=EDITOR, comment="", at=AT, until=AT + 30 * MINUTE)
    assert active_label(film) == "720p"
    tick(29)
    assert active_label(film) == "720p"
    tick(31)
    assert active_label(film) == "1080p"
    assert version("high.mp4").probed_at == AT + 31 * MINUTE


def test_a_stream_suppressed_for_ever_stays_so_however_often_it_is_found(world: World, film: int) -> None:
    world.offer(film, world.rendition("high.mp4", "1080p"), world.rendition("low.mp4", "720p"))
    match()
    switching.suppress(version("high.mp4").pk, actor=EDITOR, comment="", at=AT)
    for minutes in (1, 2):
        match(minutes)
    tick(60 * 24)
    assert active_label(film) == "720p"


def test_lapsed_rights_take_a_stream_down_within_a_minute(world: World, film: int) -> None:
    until = {"valid_until": (AT + 30 * MINUTE).isoformat()}
    world.offer(film, world.rendition("high.mp4", "1080p", rights=until), world.rendition("low.mp4", "720p"))
    match()
    tick(29)
    assert active_label(film) == "1080p"
    tick(30)
    assert active_label(film) == "720p"


def test_a_disabled_provider_is_left(world: World, film: int) -> None:
    world.offer(film, world.rendition("high.mp4", "1080p"))
    match()
    tick(2)
    Provider.objects.update(enabled=False)
    tick(5)
    assert active(film) is None
    assert story() == ["first", "withdrawn"]


def test_an_outage_of_the_library_takes_nothing_down_and_is_said(world: World, film: int) -> None:
    world.offer(film, world.rendition("low.mp4", "720p"))
    match()
    world.broken(f"/library/movies/{film}.json", status=503)
    world.broken("/media/low.mp4", status=503)
    StreamVersion.objects.update(next_check_at=AT + MINUTE)
    match(5)
    movie = Movie.objects.get()
    assert movie.matched_at == AT, "a search with a failure in it proves nothing"
    assert movie.next_check_at == Provider.objects.get().backoff_until
    tick(6)
    assert (active_label(film), version("low.mp4").state) == ("720p", State.HEALTHY)
    assert "gave no answer" in messages(IngestLog.Status.FAILED)


def test_what_is_no_longer_listed_is_probed_but_not_believed_gone(world: World, film: int) -> None:
    low, high = world.rendition("low.mp4", "720p"), world.rendition("high.mp4", "1080p")
    world.offer(film, low, high)
    match()
    world.offer(film, low)
    assert match(10)["probed"] == 1
    assert (active_label(film), version("high.mp4").last_seen) == ("1080p", AT)
    assert match(20)["probed"] == 0, "its own schedule is enough from now on"
    assert version("high.mp4").missing_since == AT + 10 * MINUTE
    world.offer(film, low, high)
    match(30)
    assert version("high.mp4").missing_since is None


def test_what_is_no_longer_listed_and_dead_is_struck_by_the_next_ticks(world: World, film: int) -> None:
    low = world.rendition("low.mp4", "720p")
    world.offer(film, low, world.rendition("high.mp4", "1080p"))
    match()
    tick(2)
    world.offer(film, low)
    world.broken("/media/high.mp4")
    match(10)
    assert (active_label(film), version("high.mp4").state) == ("1080p", State.HEALTHY)
    assert "does not play any more" in messages(IngestLog.Status.WARNING)
    tick(10)
    assert (active_label(film), version("high.mp4").state) == ("1080p", State.SUSPECT)
    tick(12)
    assert active_label(film) == "720p"


def test_a_broken_stream_that_is_still_offered_gets_a_second_chance(world: World, film: int) -> None:
    low, high = world.rendition("low.mp4", "720p"), world.rendition("high.mp4", "1080p")
    world.offer(film, low, high)
    match()
    tick(2)
    world.broken("/media/high.mp4")
    switching.observe(version("high.mp4").pk, columns={"next_check_at": AT + 3 * MINUTE}, at=AT)
    tick(3)
    tick(6)
    assert (active_label(film), version("high.mp4").state) == ("720p", State.BROKEN)
    tick(8)
    IngestRun.objects.filter(status=IngestRun.Status.QUEUED).delete()  # what the failover asked for
    world.stream("high.mp4", "1080p")
    assert match(20)["probed"] == 0, "not at every search"
    assert match(21)["reason"] == "upgrade"


def test_a_malformed_row_proves_nothing_about_what_is_not_listed(world: World, film: int) -> None:
    low = world.rendition("low.mp4", "720p")
    world.offer(film, low, world.rendition("high.mp4", "1080p"))
    match()
    world.offer(film, low, {"id": "high.mp4", "url": 7})
    assert match(10)["probed"] == 0
    assert version("high.mp4").missing_since is None


def test_a_new_address_replaces_the_active_one_once_it_plays(world: World, film: int) -> None:
    world.offer(film, world.rendition("a.mp4", "720p", id="same"))
    match()
    world.offer(film, world.rendition("b.mp4", "720p", id="same"))
    match(10)
    stream = active(film)
    assert stream is not None
    assert stream.url == f"{world.url}/media/b.mp4"
    assert (StreamVersion.objects.count(), story()) == (1, ["first", "revised"])


def test_a_new_address_that_does_not_play_replaces_nothing(world: World, film: int) -> None:
    world.offer(film, world.rendition("a.mp4", "720p", id="same"))
    match()
    world.offer(film, world.rendition("b.mp4", "720p", id="same"))
    world.broken("/media/b.mp4")
    match(10)
    stream = active(film)
    assert stream is not None
    assert stream.url == f"{world.url}/media/a.mp4"
    assert story() == ["first"]
    assert "said to have moved, but" in messages(IngestLog.Status.WARNING)


def test_a_move_that_leads_nowhere_does_not_hurry_the_second_strike(world: World, film: int) -> None:
    world.offer(film, world.rendition("a.mp4", "720p", id="same"))
    match()
    tick(2)
    world.broken("/media/a.mp4")
    StreamVersion.objects.update(next_check_at=AT + 10 * MINUTE)
    tick(10)
    world.offer(film, world.rendition("b.mp4", "720p", id="same"))
    world.broken("/media/b.mp4")
    match(10.5)
    tick(11)
    assert version("same").state == State.SUSPECT
    tick(12)
    assert version("same").state == State.BROKEN


@pytest.mark.parametrize(("lasts_h", "again_h"), [(72, 24), (49, 1), (36, 1), (25, 1)])
def test_an_address_that_runs_out_is_renewed_in_time_but_not_asked_for_every_minute(
    world: World, film: int, lasts_h: int, again_h: int
) -> None:
    expires = (AT + timedelta(hours=lasts_h)).isoformat()
    world.offer(film, world.rendition("a.mp4", "720p", url_expires_at=expires))
    match()
    assert Movie.objects.get().next_check_at == AT + timedelta(hours=again_h)


def test_changed_rights_of_the_active_stream_are_a_turn_of_the_log(world: World, film: int) -> None:
    low = world.rendition("low.mp4", "720p")
    world.offer(film, low)
    match()
    world.offer(film, {**low, "rights": {"licence": "CC BY 4.0"}})
    match(10)
    assert story() == ["first", "revised"]
    assert StreamSwitch.objects.get(seq=2).after["rights"]["licence"] == "CC BY 4.0"  # type: ignore[index]


def test_what_a_licence_says_is_kept_whole(world: World, film: int) -> None:
    window = {"valid_from": "2020-01-01T00:00:00+00:00", "valid_until": "2031-01-01T00:00:00+00:00"}
    rights = {
        "licence": "CC BY 3.0",
        "licence_url": "https://licences.example/by",
        "attribution": "The Makers | makers.example",
        "territories": ["CH", "DE"],
        **window,
    }
    world.offer(film, world.rendition("low.mp4", "720p", rights=rights))
    match()
    body = StreamSwitch.objects.get(seq=1).after
    assert body is not None
    told = {**body["rights"], **{end: body["rights"][end].replace("Z", "+00:00") for end in window}}
    assert told == rights


@pytest.mark.parametrize("spare", ["720p", ""])
def test_a_licence_that_loses_our_territory_takes_its_stream_down(
    world: World, film: int, spare: str
) -> None:
    conf.change("TERRITORY", "CH", by="test", at=AT)
    high = world.rendition("high.mp4", "1080p", rights={"licence": "L", "territories": ["CH", "DE"]})
    others = [world.rendition("low.mp4", spare)] if spare else []
    world.offer(film, high, *others)
    match()
    world.offer(film, {**high, "rights": {"licence": "L", "territories": ["DE"]}}, *others)
    match(10)
    assert story() == ["first", "failover" if spare else "withdrawn"]
    assert version("high.mp4").territories == ["DE"]
    if spare:
        assert active_label(film) == "720p"
    match(20)
    assert len(story()) == 2, "nor does it come back"


def test_a_territory_that_is_set_later_takes_nothing_down(world: World, film: int) -> None:
    high = world.rendition("high.mp4", "1080p", rights={"licence": "L", "territories": ["DE"]})
    world.offer(film, high)
    match()
    conf.change("TERRITORY", "CH", by="test", at=AT)
    world.offer(film, {**high, "rights": {"licence": "M", "territories": ["DE"]}})
    match(10)
    assert story() == ["first", "revised"]


def test_a_changed_claim_is_measured_again(world: World, film: int) -> None:
    low = world.rendition("low.mp4", "720p")
    world.offer(film, low)
    match()
    tick(2)
    world.stream("low.mp4", "2160p")
    world.offer(film, {**low, "quality": "2160p"})
    match(10)
    assert active_label(film) == "2160p"


def test_a_rolled_back_stream_does_not_come_back_with_the_next_search(world: World, film: int) -> None:
    low, high = world.rendition("low.mp4", "720p"), world.rendition("high.mp4", "1080p")
    world.offer(film, low)
    match()
    world.offer(film, low, high)
    match(1)
    switching.rollback(film, actor=EDITOR, comment="out of sync", at=AT + 2 * MINUTE)
    match(3)
    assert active_label(film) == "720p"
    assert story() == ["first", "upgrade", "rollback"]


def test_a_failover_does_not_lead_to_a_stream_that_died_meanwhile(world: World, film: int) -> None:
    conf.change("MIN_QUALITY_TO_PUBLISH", "SD", by="test", at=AT)
    names = {"high.mp4": "1080p", "middle.mp4": "720p", "other.mp4": "SD"}
    world.offer(film, *(world.rendition(name, picture) for name, picture in names.items()))
    match()
    world.broken("/media/middle.mp4")
    StreamVersion.objects.filter(ref="high.mp4").update(rights_until=AT + 60 * MINUTE)
    tick(60)
    stream = active(film)
    assert stream is not None
    assert stream.ref == "other.mp4"
    assert story() == ["first", "failover"]


def test_nothing_offered_is_an_answer(world: World, film: int) -> None:
    summary = match()
    assert (summary["offered"], summary["quality"]) == (0, None)
    assert Movie.objects.get().matched_at == AT
    assert "nothing to play yet" in messages(IngestLog.Status.OK)


def test_a_stream_below_the_minimum_is_kept_but_not_shown(world: World, film: int) -> None:
    world.offer(film, world.rendition("low.mp4", "SD"))
    match()
    assert active(film) is None
    conf.change("MIN_QUALITY_TO_PUBLISH", "SD", by="test", at=AT)
    match(10)
    assert active_label(film) == "SD"


def test_a_removed_movie_is_not_searched_for(world: World, film: int) -> None:
    world.offer(film, world.rendition("low.mp4", "720p"))
    switching.withdraw(film, actor=EDITOR, comment="no", at=AT)
    assert match() == {"skipped": "removed"}
    assert not StreamVersion.objects.exists()


def test_an_unknown_movie_is_a_failure_in_words(world: World) -> None:
    closed = run(Job.MATCH, movie_id=5, at=AT)
    assert (closed.status, closed.error) == (IngestRun.Status.FAILED, "There is no movie 5.")


def test_a_probe_from_before_the_switch_does_not_end_the_trial(world: World, film: int) -> None:
    """A tick may hold the result of a probe that it began while a search was about to switch."""
    world.offer(film, world.rendition("high.mp4", "1080p"), world.rendition("low.mp4", "720p"))
    match()
    late = ProbeResult(outcome=ProbeOutcome.OK, evidence="", width=1920, height=1080)
    verification.record(version("high.mp4").pk, late, at=AT + MINUTE / 6)
    assert version("high.mp4").on_trial
    world.broken("/media/high.mp4")
    tick(1)
    assert active_label(film) == "720p"
