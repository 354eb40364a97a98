"""What the library offers at a second: pure, told ahead, and soon all that the demo promises."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo import library, timeline
from demo.catalogue import Film, Rendition, load
from demo.timeline import Serving

FILMS = load()
BY_TITLE = {film.title: film for film in FILMS}
MOMENTS = range(0, 301, 5)


def upto(most: int) -> st.SearchStrategy[float]:
    """Seconds in steps that floats can add without rounding: a millionth of a microsecond is no moment."""
    return st.integers(0, most * 64).map(lambda steps: steps / 64)


@st.composite
def renditions(draw: st.DrawFn) -> Rendition:
    """A rendition with a life as `films.json` may give it."""
    starts, length, broken = draw(upto(400)), draw(upto(199)) + 1, draw(upto(400))
    return Rendition(
        id="a",
        delivery="hls",
        height=1080,
        starts=starts,
        ends=draw(st.sampled_from([None, starts + length])),
        breaks_at=broken,
        mends_at=draw(st.sampled_from([None, broken + length])),
        breaks_as=draw(st.sampled_from(["missing", "page", "withdrawn"])),
        claims=draw(st.sampled_from(["", "4K UHD"])),
        every=draw(st.sampled_from([None, 1000.0])),
    )


films = st.lists(renditions(), min_size=1, max_size=4).map(
    lambda rows: replace(FILMS[0], renditions=tuple(replace(row, id=f"r{n}") for n, row in enumerate(rows)))
)
seconds = upto(100_000)


def shown(film: Film, at: float) -> tuple[object, ...]:
    return timeline.offers(film, at), tuple(timeline.serving(each, at) for each in film.renditions)


@given(films, seconds)
def test_the_same_second_always_offers_the_same(film: Film, at: float) -> None:
    assert shown(film, at) == shown(film, at)


@given(films, seconds, st.integers(0, 63).map(lambda steps: steps / 64))
def test_nothing_changes_before_the_next_change_that_was_told(film: Film, at: float, share: float) -> None:
    wait = timeline.seconds_to_change(film, at)
    assert shown(film, at) == shown(film, at + (100_000 if wait is None else wait * share))


@given(films, seconds)
def test_the_next_change_lies_ahead(film: Film, at: float) -> None:
    wait = timeline.seconds_to_change(film, at)
    assert wait is None or wait > 0


@given(films, seconds)
def test_what_is_withdrawn_is_not_listed_and_does_not_play(film: Film, at: float) -> None:
    for each in film.renditions:
        if each.breaks_as == "withdrawn" and timeline.serving(each, at) is not Serving.MEDIA:
            assert not timeline.is_listed(each, at)


@given(films, seconds)
def test_freshness_is_whole_seconds_and_never_outlives_the_next_change_by_one(film: Film, at: float) -> None:
    wait, fresh = timeline.seconds_to_change(film, at), library.fresh_for(film, at)
    assert fresh >= 1
    assert wait is None or fresh <= wait + 1


@given(renditions(), st.floats(0, 999), st.integers(0, 50))
def test_a_cycle_starts_over(rendition: Rendition, at: float, rounds: int) -> None:
    again = replace(rendition, every=1000.0)
    phase = (at + 1000.0 * rounds) % 1000.0
    assert timeline.serving(again, at + 1000.0 * rounds) == timeline.serving(again, phase)


def heights(film: Film, at: float) -> list[int]:
    """The real heights of what is listed and plays."""
    return [
        offer.rendition.height
        for offer in timeline.offers(film, at)
        if timeline.serving(offer.rendition, at) is Serving.MEDIA
    ]


def films_where(holds: Callable[[Film], bool]) -> list[str]:
    return [film.title for film in FILMS if holds(film)]


def test_better_streams_come_out_within_four_minutes() -> None:
    """Marquee looks each minute, so that what comes out by then is taken within five."""
    upgraded = films_where(lambda film: max(heights(film, 240)) > max(heights(film, 0), default=0) >= 720)
    assert len(upgraded) >= 5
    assert next(at for at in MOMENTS if max(heights(BY_TITLE["Big Buck Bunny"], at)) == 1080) in range(60, 91)


def test_upgrades_cross_from_each_delivery_to_another() -> None:
    first, best = (
        {
            film.title: max(rows, key=lambda offer: offer.rendition.height).rendition.delivery
            for film in FILMS
            if (rows := timeline.offers(film, at))
        }
        for at in (0, 240)
    )
    crossed = {(first[title], best[title]) for title in first}
    assert {("hls", "hls"), ("progressive", "dash"), ("progressive", "hls"), ("hls", "dash")} <= crossed


def test_the_best_stream_of_a_film_breaks_while_another_plays_on() -> None:
    film = BY_TITLE["Tears of Steel"]
    assert max(heights(film, 30)) == 1080
    assert heights(film, 60) == [720]
    assert "1080p-hls" in [offer.rendition.id for offer in timeline.offers(film, 60)]
    assert max(heights(film, 215)) == 1080


def test_a_library_lies_about_2160p_and_later_has_a_true_one() -> None:
    film = BY_TITLE["Sintel"]
    (lie,) = [offer for offer in timeline.offers(film, 100) if offer.quality == "4K UHD"]
    assert lie.rendition.height == 1080
    told = {offer.rendition.height: offer.quality for offer in timeline.offers(film, 200)}
    assert told == {720: "720p", 1080: "4K UHD", 2160: "2160p"}


def test_every_film_but_the_late_ones_plays_from_the_start() -> None:
    late = films_where(lambda film: max(heights(film, 0), default=0) < 720)
    assert late == ["Sprite Fright", "A Trip to the Moon"]
    assert films_where(lambda film: max(heights(film, 60), default=0) < 720) == []


def test_what_comes_back_comes_at_a_new_address() -> None:
    film = BY_TITLE["Nosferatu"]
    urls = []
    for at in (10, 910, 1810):
        listing = library.listing(film, at)
        assert listing is not None
        urls.append(listing["renditions"][0]["url"])
    assert urls == [f"../media/653/1080p-hls.m3u8{again}" for again in ("", "?take=1", "?take=2")]


@pytest.mark.parametrize("title", ["Nosferatu", "The Cabinet of Dr. Caligari"])
def test_a_demo_left_running_stays_alive(title: str) -> None:
    hours = range(24 * 3600, 25 * 3600, 60)
    assert {max(heights(BY_TITLE[title], at)) for at in hours} == {720, 1080}
