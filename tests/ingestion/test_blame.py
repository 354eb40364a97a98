"""Correlated failures: a provider most of whose streams fail at once is blamed, and its streams are not."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from core import conf
from ingestion import blame, editors, reverify, runs, status
from ingestion.blame import Sample
from ingestion.checking import Probed
from ingestion.models import IngestLog, Job
from ingestion.reports import Stopped
from providers import health
from providers.models import Provider
from providers.types import ProbeOutcome, ProbeResult
from streaming import switching, verification
from streaming.errors import NotPlayable
from streaming.models import Movie, StreamVersion
from streaming.verification import AFTER_OUTAGE, SECOND_STRIKE_AFTER
from tests.ingestion.conftest import AT
from tests.ingestion.world import World, run, succeeded
from tests.streaming import factory
from tests.streaming.factory import EDITOR

pytestmark = pytest.mark.django_db

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
State = StreamVersion.State
Outcome = ProbeOutcome


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "PING_S", 0.01)


def stage(world: World, count: int, *, first: int = 1, slug: str = "library", **facts: Any) -> None:
    """Films, each with one stream that plays and is due."""
    provider = Provider.objects.get(pk="library")
    if slug != "library":
        provider = factory.provider(slug, config=provider.config)
    for number in range(first, first + count):
        film = factory.movie(number, popularity=float(number), matched_at=AT)
        factory.version(
            film,
            str(number),
            provider=provider,
            url=world.stream(f"{number}.mp4", "1080p"),
            delivery="progressive",
            last_seen=AT,
            **facts,
        )
        switching.reconsider(number, at=AT - HOUR)
    StreamVersion.objects.filter(on_trial=True).update(on_trial=False)
    StreamVersion.objects.update(next_check_at=AT)


def gone(world: World, numbers: Any, *, status: int = 404) -> None:
    for number in numbers:
        world.broken(f"/media/{number}.mp4", status=status)


def back(world: World, numbers: Any) -> None:
    for number in numbers:
        world.stream(f"{number}.mp4", "1080p")


def states(**about: Any) -> Counter[str]:
    return Counter(StreamVersion.objects.filter(**about).values_list("state", flat=True))


def showing() -> int:
    return Movie.objects.published().count()


def library() -> Provider:
    return Provider.objects.get(pk="library")


def errors() -> list[str]:
    return list(IngestLog.objects.filter(status=IngestLog.Status.ERROR).values_list("message", flat=True))


@pytest.mark.parametrize("job", [Job.REVERIFY, Job.TICK])
def test_an_outage_that_looks_like_dead_streams_is_the_providers(
    world: World, job: Job, caplog: pytest.LogCaptureFixture
) -> None:
    stage(world, 12)
    gone(world, range(1, 13))
    succeeded(job, at=AT)
    assert (states(), showing()) == ({State.HEALTHY: 12}, 12)
    assert StreamVersion.objects.filter(strikes=0, next_check_at=AT + AFTER_OUTAGE).count() == 12
    assert library().blamed_at == AT
    assert library().blame == "12 of 12 streams that were well failed in one run (12 dead)"
    (said,) = errors()
    assert said.startswith("Library is blamed: 12 of 12 streams")
    assert [record.levelname for record in caplog.records if "is blamed" in record.message] == ["ERROR"]


def test_what_failed_before_the_tenth_probe_is_not_struck_either(world: World) -> None:
    """Popular films are probed first, here the dead ones; a run has as many batches as it takes."""
    stage(world, reverify.AT_ONCE * 2)
    dead = range(reverify.AT_ONCE // 2, reverify.AT_ONCE * 2 + 1)
    gone(world, dead)
    succeeded(Job.REVERIFY, at=AT)
    assert library().blame.startswith(f"{len(dead)} of 48")
    assert states() == {State.HEALTHY: 48}


def test_what_failed_before_a_run_of_good_probes_is_struck_after_all(world: World) -> None:
    """The first batch alone would be an outage; the whole run is not."""
    stage(world, reverify.AT_ONCE * 2 + 2)
    gone(world, range(reverify.AT_ONCE + 3, reverify.AT_ONCE * 2 + 3))
    succeeded(Job.REVERIFY, at=AT)
    assert library().blamed_at is None
    assert states() == {State.HEALTHY: 26, State.SUSPECT: 24}
    again = StreamVersion.objects.filter(state=State.SUSPECT).values_list("next_check_at", flat=True)
    assert set(again) == {AT + SECOND_STRIKE_AFTER}
    assert errors() == []


@pytest.mark.parametrize(
    ("streams", "dead", "share", "blamed"),
    [(10, 6, 0.5, True), (10, 5, 0.5, False), (9, 9, 0.5, False), (10, 10, 1, False), (20, 3, 0.1, True)],
)
def test_it_takes_ten_probes_and_more_than_the_share(
    world: World, streams: int, dead: int, share: float, blamed: bool
) -> None:
    conf.change("PROVIDER_BLAME_SHARE", share, by="test", at=AT)
    stage(world, streams)
    gone(world, range(1, dead + 1))
    succeeded(Job.REVERIFY, at=AT)
    assert (library().blamed_at is not None) is blamed
    assert states()[State.SUSPECT] == (0 if blamed else dead)


def test_one_providers_outage_is_not_anothers(world: World) -> None:
    stage(world, 10)
    stage(world, 2, first=11, slug="other")
    gone(world, range(1, 12))
    succeeded(Job.REVERIFY, at=AT)
    assert states(provider="library") == {State.HEALTHY: 10}
    assert states(provider="other") == {State.SUSPECT: 1, State.HEALTHY: 1}
    assert [p.slug for p in Provider.objects.filter(blamed_at__isnull=False)] == ["library"]


def test_ten_streams_that_are_dead_for_good_are_no_outage_for_being_suspects_together(world: World) -> None:
    stage(world, 30)
    gone(world, range(1, 12))
    succeeded(Job.REVERIFY, at=AT)
    succeeded(Job.TICK, at=AT + SECOND_STRIKE_AFTER)
    assert states() == {State.HEALTHY: 19, State.BROKEN: 11}
    assert library().blamed_at is None


def test_a_second_strike_is_frozen_too(world: World) -> None:
    stage(world, 15)
    StreamVersion.objects.filter(ref__in=["1", "2", "3"]).update(state=State.SUSPECT, strikes=1)
    gone(world, range(1, 16))
    succeeded(Job.REVERIFY, at=AT)
    assert (states(), showing()) == ({State.SUSPECT: 3, State.HEALTHY: 12}, 15)


def test_a_stream_on_trial_is_not_left_for_an_outage(world: World) -> None:
    stage(world, 12)
    StreamVersion.objects.filter(ref="3").update(on_trial=True)
    gone(world, range(1, 13))
    succeeded(Job.TICK, at=AT)
    assert showing() == 12
    assert StreamVersion.objects.get(ref="3").suppressed_at is None


def test_it_is_said_once_however_long_it_lasts_and_stays_blamed_since_it_first_was(world: World) -> None:
    stage(world, 12)
    gone(world, range(1, 13))
    for n in range(3):
        succeeded(Job.TICK, at=AT + n * AFTER_OUTAGE)
    assert len(errors()) == 1
    assert (library().blamed_at, states()) == (AT, {State.HEALTHY: 12})


def test_a_provider_that_is_well_again_is_blamed_no_longer_and_what_is_dead_is_struck(world: World) -> None:
    stage(world, 12)
    gone(world, range(1, 13))
    succeeded(Job.TICK, at=AT)
    back(world, range(1, 12))
    succeeded(Job.TICK, at=AT + AFTER_OUTAGE)
    assert (library().blamed_at, library().blame) == (None, "")
    assert states() == {State.HEALTHY: 11, State.SUSPECT: 1}
    assert IngestLog.objects.filter(message="Library is blamed no longer: 11 of 12 streams play.").exists()


def test_one_stream_that_plays_does_not_acquit_a_provider(world: World) -> None:
    """Where fewer than ten are due, others are asked as well."""
    stage(world, 12)
    gone(world, range(1, 13))
    succeeded(Job.TICK, at=AT)
    back(world, [7])
    StreamVersion.objects.filter(ref="7").update(next_check_at=AT + MINUTE)
    assert succeeded(Job.TICK, at=AT + MINUTE)["checked"] == 1
    assert library().blamed_at == AT
    assert library().blame.startswith("9 of 10")
    assert states() == {State.HEALTHY: 12}


def test_an_outage_is_noticed_at_the_first_stream_that_fails_though_few_are_due(world: World) -> None:
    """Or streams that come due one by one would be given up one by one."""
    stage(world, 12)
    gone(world, range(1, 13))
    StreamVersion.objects.exclude(ref="7").update(next_check_at=AT + HOUR)
    assert succeeded(Job.TICK, at=AT)["checked"] == 1
    assert library().blame.startswith("10 of 10")
    assert states() == {State.HEALTHY: 12}


def test_an_outage_that_searches_meet_first_is_the_providers_too(world: World) -> None:
    """An origin that answers 404 for all that it has: each search sees one film, listed no more and dead."""
    stage(world, 12)
    StreamVersion.objects.update(next_check_at=AT + HOUR)
    gone(world, range(1, 13))
    for number in range(1, 13):
        succeeded(Job.MATCH, at=AT + MINUTE, movie_id=number)
    for later in (1, 3, 5):
        succeeded(Job.TICK, at=AT + later * MINUTE)
    assert (states(), showing()) == ({State.HEALTHY: 12}, 12)
    assert library().blame.startswith("12 of 12")


def test_a_stream_that_is_dead_alone_is_struck_though_others_were_asked(world: World) -> None:
    stage(world, 12)
    gone(world, [7])
    StreamVersion.objects.exclude(ref="7").update(next_check_at=AT + HOUR)
    succeeded(Job.TICK, at=AT)
    assert states() == {State.HEALTHY: 11, State.SUSPECT: 1}
    assert StreamVersion.objects.filter(probed_at=AT).count() == 10
    assert library().blamed_at is None


def test_where_enough_play_nobody_else_is_asked(world: World) -> None:
    stage(world, 12)
    gone(world, [7])
    StreamVersion.objects.exclude(ref__in=["6", "7", "8"]).update(next_check_at=AT + HOUR)
    succeeded(Job.TICK, at=AT)
    assert StreamVersion.objects.filter(probed_at=AT).count() == 3


def test_while_it_is_blamed_nothing_counts_against_its_streams(world: World) -> None:
    stage(world, 3)
    health.note(library(), lambda row: health.after_blame(row, why="an outage", at=AT))
    gone(world, [1, 2, 3])
    stream = StreamVersion.objects.get(ref="1")
    with pytest.raises(NotPlayable, match="held against its provider"):
        editors.activate(1, stream.pk, actor=EDITOR, comment="", at=AT)
    succeeded(Job.TICK, at=AT)
    stream.refresh_from_db()
    assert (stream.state, stream.strikes, stream.last_outcome) == (State.HEALTHY, 0, Outcome.PROVIDER_DOWN)
    assert stream.evidence.startswith("held against its provider (dead): ")


def test_nothing_is_lost_when_the_run_dies_before_it_has_judged(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage(world, 26)
    gone(world, range(1, 27))

    def stop(*_: Any) -> None:
        raise Stopped

    monkeypatch.setattr(runs.Report, "progress", stop)
    run(Job.REVERIFY, at=AT)
    assert states() == {State.HEALTHY: 26}
    due = StreamVersion.objects.values_list("next_check_at", flat=True)
    assert Counter(due) == {AT: 2, AT + AFTER_OUTAGE: 24}


def test_an_operators_word_lifts_the_blame_and_has_the_failed_ones_probed_at_once(world: World) -> None:
    stage(world, 12)
    gone(world, range(1, 13))
    succeeded(Job.TICK, at=AT)
    back(world, range(1, 11))
    StreamVersion.objects.filter(ref="12").update(last_outcome=Outcome.OK, next_check_at=AT + HOUR)
    health.forgive(library())
    assert verification.look_at_failed("library", at=AT + MINUTE) == 11
    assert succeeded(Job.REVERIFY, at=AT + MINUTE)["checked"] == 11
    assert states() == {State.HEALTHY: 11, State.SUSPECT: 1}


def test_an_operator_who_believes_it_has_the_failures_counted_and_each_confirmed(world: World) -> None:
    """Those that are gone are left; one that plays again is not; nobody is blamed for it anew."""
    stage(world, 13)
    gone(world, range(1, 13))
    succeeded(Job.REVERIFY, at=AT)
    stage(world, 1, first=14)
    StreamVersion.objects.filter(ref="14").update(last_outcome=Outcome.PROVIDER_DOWN, evidence="answers 502")
    assert (library().blamed_at, states()) == (AT, {State.HEALTHY: 14})
    assert blame.believe(library(), at=AT + MINUTE) == 12
    assert (library().blamed_at, library().blame) == (None, "")
    assert (states(), showing()) == ({State.SUSPECT: 12, State.HEALTHY: 2}, 14)
    back(world, [12])
    succeeded(Job.TICK, at=AT + MINUTE + SECOND_STRIKE_AFTER)
    assert states() == {State.BROKEN: 11, State.HEALTHY: 3}
    assert (library().blamed_at, showing()) == (None, 3)


def test_those_that_failed_are_the_suspect_the_broken_and_what_an_outage_met(world: World) -> None:
    film = factory.movie(1)
    failing: list[dict[str, Any]] = [
        {"state": State.SUSPECT, "probed_at": AT - 3 * MINUTE},
        {"state": State.BROKEN},
        {"last_outcome": Outcome.PROVIDER_DOWN},
    ]
    fine: list[dict[str, Any]] = [
        {},
        {"state": State.SUSPECT, "probed_at": AT - MINUTE},
        {"state": State.BROKEN, "provider": factory.provider("other")},
        {"state": State.BROKEN, "next_check_at": None},
    ]
    for n, facts in enumerate([*failing, *fine]):
        factory.version(film, str(n), **{"next_check_at": AT + HOUR, "provider": library(), **facts})
    assert verification.look_at_failed("library", at=AT) == 3
    due = StreamVersion.objects.filter(next_check_at=AT).values_list("ref", flat=True)
    assert set(due) == {"0", "1", "2"}


def test_status_and_dashboard_show_who_is_blamed_for_what(world: World) -> None:
    stage(world, 12)
    gone(world, range(1, 13))
    succeeded(Job.REVERIFY, at=AT)
    (shown,) = status.snapshot(AT)["providers"].values()
    assert (shown["state"], shown["blamed_at"]) == ("blamed", AT)
    assert shown["blame"].startswith("12 of 12 streams")


def sample(**outcomes: int) -> Sample:
    counted = Counter({Outcome(name): number for name, number in outcomes.items()})
    return Sample(Provider(slug="films"), counted)


def test_a_sample_in_words() -> None:
    assert str(sample(dead=7, provider_down=9, ok=4)) == (
        "16 of 20 streams that were well failed in one run (9 provider_down, 7 dead)"
    )


def test_probes_that_could_not_tell_and_streams_under_suspicion_are_not_counted(db: None) -> None:
    def probed(outcome: Outcome, state: str = State.HEALTHY) -> Probed:
        version = StreamVersion(provider=Provider(slug="films"), state=state)
        return Probed(version, ProbeResult(outcome=outcome, evidence=""))

    counted = blame.samples(
        [*(probed(outcome) for outcome in Outcome), *(probed(Outcome.DEAD, state) for state in State)]
    )
    assert counted["films"].outcomes == {
        Outcome.OK: 1,
        Outcome.DEAD: 2,
        Outcome.FORBIDDEN: 1,
        Outcome.UNEMBEDDABLE: 1,
        Outcome.PROVIDER_DOWN: 1,
    }
