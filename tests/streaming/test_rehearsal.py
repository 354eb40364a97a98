"""What is rehearsed is what happens, and a rehearsal writes nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from core.models import Setting
from core.options import DEFAULTS, QUALITIES, Options
from streaming import rehearsal, switching
from streaming.models import Movie, StreamSwitch, StreamVersion
from streaming.policy_types import Reason
from streaming.quality import Quality
from streaming.rehearsal import Difference, Effect
from tests.queries import costs
from tests.streaming import factory
from tests.streaming.factory import EDITOR, NOW

pytestmark = pytest.mark.django_db


def playing(number: int, *qualities: Quality, **facts: Any) -> Movie:
    """A movie that plays the best of these; what is added afterwards waits for another decision."""
    movie = factory.movie(number)
    for quality in qualities:
        factory.version(movie, quality.label, quality, **facts)
    switching.reconsider(movie.pk, at=NOW)
    return movie


def rehearse(before: Options = DEFAULTS, **changed: Any) -> rehearsal.Rehearsal:
    return rehearsal.rehearse(before, replace(before, **changed), at=NOW, within_s=60)


def only(found: rehearsal.Rehearsal) -> Difference:
    (difference,) = found.differences
    return difference


def test_a_raised_minimum_takes_nothing_down_by_itself_but_would_if_it_were_enforced() -> None:
    playing(1, Quality.P720)
    playing(2, Quality.P1080)
    found = rehearse(min_quality_to_publish="1080p")
    assert found.effects == {(Effect.WITHDRAWN, True): 1}
    assert found.reasons == {(Reason.BELOW_MINIMUM, False): 1}
    left = only(found)
    assert (left.movie.pk, left.effect, left.enforced, left.then) == (1, Effect.WITHDRAWN, True, None)
    assert left.now is not None
    assert left.now.quality is Quality.P720
    assert left.why == "a stream is below MIN_QUALITY_TO_PUBLISH"


def test_enforced_the_next_best_takes_over_where_there_is_one() -> None:
    movie = playing(1, Quality.P720)
    switching.edit(movie.pk, pinned=True, actor=EDITOR, comment="", at=NOW)
    factory.version(movie, "better", Quality.P1080)
    found = rehearse(min_quality_to_publish="1080p")
    assert found.effects == {(Effect.UPGRADED, True): 1}


def test_a_lowered_minimum_publishes() -> None:
    playing(1, Quality.SD)
    found = rehearse(min_quality_to_publish="SD")
    assert found.effects == {(Effect.PUBLISHED, False): 1}
    assert only(found).why == "a stream is no longer below MIN_QUALITY_TO_PUBLISH"
    assert only(found).then is not None


def test_a_raised_target_upgrades_where_something_better_is_known() -> None:
    before = replace(DEFAULTS, target_quality="720p")
    movie = playing(1, Quality.P720)
    factory.version(movie, "better", Quality.P1080)
    found = rehearse(before, target_quality="1080p")
    assert found.effects == {(Effect.UPGRADED, False): 1}
    assert only(found).why == "what plays is below the target now"


def test_a_lowered_target_keeps_what_would_have_been_left() -> None:
    movie = playing(1, Quality.P720)
    factory.version(movie, "better", Quality.P1080)
    found = rehearse(target_quality="720p")
    assert found.effects == {(Effect.KEPT, False): 1}
    assert only(found).why == "what plays has reached the target"


def test_a_territory_excludes_and_its_absence_lets_in() -> None:
    playing(1, Quality.P1080, territories=["US"])
    found = rehearse(territory="DE")
    assert found.effects == {(Effect.WITHDRAWN, True): 1}
    assert only(found).why == "a stream's licence excludes our territory"
    movie = factory.movie(2)
    factory.version(movie, "a", Quality.P1080, territories=["US"])
    back = rehearse(replace(DEFAULTS, territory="DE"), territory="")
    assert [(each.movie.pk, each.effect) for each in back.differences] == [(2, Effect.PUBLISHED)]


def test_lower_quality_until_upgrade() -> None:
    factory.version(factory.movie(1), "a", Quality.P1080)
    before = replace(DEFAULTS, allow_lower_quality_until_upgrade=False)
    found = rehearse(before, allow_lower_quality_until_upgrade=True)
    assert found.effects == {(Effect.PUBLISHED, False): 1}
    assert only(found).why == "a stream may be published below the target"


def test_a_movie_with_a_target_of_its_own_does_not_follow_the_setting() -> None:
    movie = playing(1, Quality.P720)
    switching.edit(movie.pk, target_quality=Quality.P720, actor=EDITOR, comment="", at=NOW)
    factory.version(movie, "better", Quality.P1080)
    before = replace(DEFAULTS, target_quality="720p")
    assert rehearse(before, target_quality="2160p").effects == {}


def test_what_would_switch_anyway_is_no_effect_of_the_change() -> None:
    movie = playing(1, Quality.P720)
    factory.version(movie, "better", Quality.P1080)
    assert rehearse(min_quality_to_publish="SD").effects == {}


def test_a_movie_that_was_removed_is_left_out() -> None:
    movie = playing(1, Quality.P720)
    switching.withdraw(movie.pk, actor=EDITOR, comment="", at=NOW)
    found = rehearse(min_quality_to_publish="1080p")
    assert (found.total, found.checked, found.effects) == (0, 0, {})


def test_all_are_counted_and_some_are_named_in_the_order_of_their_keys(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rehearsal, "BATCH", 2)
    monkeypatch.setattr(rehearsal, "LISTED", 3)
    for number in (5, 3, 1, 4, 2):
        playing(number, Quality.P720)
    found = rehearse(min_quality_to_publish="1080p")
    assert found.effects == {(Effect.WITHDRAWN, True): 5}
    assert [each.movie.pk for each in found.differences] == [1, 2, 3]
    assert (found.checked, found.total, found.partial) == (5, 5, False)


def test_out_of_time_it_says_how_far_it_came(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rehearsal, "BATCH", 2)
    for number in range(1, 6):
        playing(number, Quality.P720)
    after = replace(DEFAULTS, min_quality_to_publish="1080p")
    found = rehearsal.rehearse(DEFAULTS, after, at=NOW, within_s=0)
    assert (found.checked, found.total, found.partial) == (2, 5, True)
    assert found.effects == {(Effect.WITHDRAWN, True): 2}


def test_a_batch_costs_the_same_queries_whatever_is_in_it() -> None:
    for number in range(1, 8):
        playing(number, Quality.P720, Quality.SD, Quality.CAM)
    with costs(5):  # the count; movies, versions and providers; and the end
        rehearse(min_quality_to_publish="1080p")


def test_it_writes_nothing() -> None:
    movie = playing(1, Quality.P720)
    factory.version(movie, "better", Quality.P1080)
    playing(2, Quality.SD)
    tables = (Movie, StreamVersion, StreamSwitch)
    before = [list(table.objects.order_by("pk").values()) for table in tables]
    for changed in ({"target_quality": "SD"}, {"min_quality_to_publish": "2160p"}, {"territory": "DE"}):
        rehearse(**changed)
    assert [list(table.objects.order_by("pk").values()) for table in tables] == before


QUALITY = st.sampled_from(list(Quality))
VERSION = st.fixed_dictionaries(
    {
        "quality": st.none() | QUALITY,
        "state": st.sampled_from(["healthy", "healthy", "healthy", "suspect", "broken", "unverified"]),
        "territories": st.sampled_from([[], ["DE"], ["US", "FR"]]),
        "delivery": st.sampled_from(["hls", "embed"]),
    }
)
MOVIE = st.fixed_dictionaries(
    {
        "versions": st.lists(VERSION, max_size=4),
        "known": st.integers(0, 4),
        "pinned": st.booleans(),
        "target": st.none() | QUALITY,
    }
)
OPTIONS = st.builds(
    Options,
    target_quality=st.sampled_from(QUALITIES),
    min_quality_to_publish=st.sampled_from(QUALITIES),
    allow_lower_quality_until_upgrade=st.booleans(),
    territory=st.sampled_from(["", "DE", "US"]),
)


def arrange(number: int, facts: dict[str, Any]) -> None:
    """A movie that was decided on when the first `known` of its versions were all there was."""
    movie = factory.movie(number)
    for index, columns in enumerate(facts["versions"]):
        if index == facts["known"]:
            switching.reconsider(number, at=NOW)
        columns = dict(columns)
        factory.version(movie, str(index), columns.pop("quality"), **columns)
    switching.edit(
        number,
        pinned=facts["pinned"],
        target_quality=facts["target"],
        actor=EDITOR,
        comment="",
        at=NOW,
    )


def say(options: Options) -> None:
    """Past `core.conf`, which would have each change applied by a run."""
    for name in sorted(rehearsal.SETTINGS):
        said = {"value": getattr(options, name.lower()), "changed_at": NOW}
        Setting.objects.update_or_create(name=name, defaults=said)


def played(movies: int) -> dict[int, Any]:
    return dict(Movie.objects.filter(pk__lte=movies).values_list("pk", "active_stream_id"))


class Laws(TestCase):
    databases = "__all__"

    @settings(max_examples=25)
    @given(st.lists(MOVIE, min_size=1, max_size=3), OPTIONS, OPTIONS)
    def test_what_is_rehearsed_is_what_happens(
        self, movies: list[dict[str, Any]], before: Options, after: Options
    ) -> None:
        StreamSwitch.objects.all().delete()
        Movie.objects.update(active_stream=None)
        StreamVersion.objects.all().delete()
        Movie.objects.all().delete()
        say(before)
        for number, facts in enumerate(movies, start=1):
            arrange(number, facts)
        found = rehearsal.rehearse(before, after, at=NOW, within_s=60)
        told = {each.movie.pk: each for each in found.differences}
        now = played(len(movies))
        say(after)
        for number in now:
            without = wanted(number, before)
            switching.reconsider(number, at=NOW)
            itself = played(len(movies))[number]
            switching.reconsider(number, at=NOW, enforce=True)
            forced = played(len(movies))[number]
            if number not in told:
                assert without == itself == forced
                continue
            each = told[number]
            assert (each.now.pk if each.now else None) == now[number]
            assert (each.then.pk if each.then else None) == (forced if each.enforced else itself)
            assert (without == itself) == each.enforced
            assert each.why


def wanted(movie_id: int, options: Options) -> Any:
    """What the movie would play under these."""
    for batch in rehearsal.standings(options, at=NOW):
        for seen in batch:
            if seen.movie.pk == movie_id:
                chosen = seen.decide().chosen
                return next((key for key in seen.versions if str(key) == chosen), None)
    return None
