"""When two titles are the same film's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.titles import fold, is_titled, split_year
from providers.types import MovieRef


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Sintel (2010)", ("Sintel", 2010)),
        ("Sintel [2010] ", ("Sintel", 2010)),
        ("Sintel(2010)", ("Sintel", 2010)),
        ("1984 (1956)", ("1984", 1956)),
        ("Blade Runner 2049", ("Blade Runner 2049", None)),
        ("2001: A Space Odyssey", ("2001: A Space Odyssey", None)),
        ("(2010)", ("(2010)", None)),
        ("Sintel (2010) Trailer", ("Sintel (2010) Trailer", None)),
        ("Sintel (3010)", ("Sintel (3010)", None)),
        ("", ("", None)),
    ],
)
def test_a_year_at_the_end_is_no_part_of_the_title(text: str, expected: tuple[str, int | None]) -> None:
    assert split_year(text) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Amélie", "AMELIE"),
        ("Minnie & Moskowitz", "Minnie and Moskowitz"),
        ("Schindler's List", "Schindler\u2019s List"),
        ("Star Wars: A New Hope", "Star Wars - A New Hope"),
        ("Der große Diktator", "Der grosse Diktator"),
        ("M", "m."),
        ("Сталкер", "СТАЛКЕР"),
        ("七人の侍", " 七人の侍 "),
    ],
)
def test_ways_to_write_one_title(one: str, other: str) -> None:
    assert fold(one) == fold(other) != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Alien", "Aliens"),
        ("The Thing", "Thing"),
        ("Big Buck Bunny", "Big Buck Bunny Trailer"),
        ("Nosferatu", "Nosferatu the Vampyre"),
        ("Rocky II", "Rocky III"),
    ],
)
def test_titles_of_two_films(one: str, other: str) -> None:
    assert fold(one) != fold(other)


def test_the_original_title_counts_and_nothing_is_nobodys() -> None:
    movie = MovieRef(tmdb_id=1, title="Seven Samurai", original_title="七人の侍")
    assert is_titled(movie, "七人の侍")
    assert is_titled(movie, "seven samurai")
    assert not is_titled(MovieRef(tmdb_id=1, title="..."), "!!!")
    assert not is_titled(MovieRef(tmdb_id=1, title="Seven"), "")


@given(st.text(max_size=40))
def test_folding_again_changes_nothing(title: str) -> None:
    assert fold(fold(title)) == fold(title)
