"""What is read from rows that are sparse, odd or broken. The fixture holds one film per oddity."""

from __future__ import annotations

import json
import math
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.tmdb_rows import movie_details, movie_row
from providers.tmdb_types import MovieRow

SPARSE = json.loads((Path(__file__).parent / "fixtures" / "tmdb" / "sparse.json").read_bytes())["results"]
ROWS = {raw["id"]: movie_row(raw) for raw in SPARSE}

NAMES = """
adult original_title overview original_language release_date poster_path backdrop_path popularity vote_count
vote_average genre_ids genres runtime spoken_languages external_ids release_dates imdb_id tagline status
"""
TEXT = st.text(st.characters(exclude_categories=[]), max_size=20)  # half surrogate pairs too, as in JSON
SCALAR = st.none() | st.booleans() | st.integers() | st.floats() | TEXT
JSON = st.recursive(
    SCALAR, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3), max_leaves=8
)
ODDITIES = st.dictionaries(st.sampled_from(NAMES.split()), JSON)


def test_what_only_describes_a_film_never_costs_the_film() -> None:
    assert list(ROWS) == [*range(1, 11), 2**31 - 1]
    assert ROWS[1] == MovieRow(tmdb_id=1, title="Nothing But A Title")
    assert ROWS[2] == MovieRow(tmdb_id=2, title="Nulls")
    assert ROWS[3] == MovieRow(tmdb_id=3, title="Empty", original_title="Empty")


def test_numbers_written_as_text_are_numbers() -> None:
    row = ROWS[4]
    assert (row.popularity, row.vote_average, row.vote_count, row.genre_ids) == (12.5, 7.5, 42, (16,))
    assert row.release_date == date(2020, 1, 1)


@pytest.mark.parametrize("tmdb_id", [5, 6])
def test_values_that_cannot_be_are_unknown(tmdb_id: int) -> None:
    row = ROWS[tmdb_id]
    assert (row.original_language, row.overview, row.release_date) == ("", "", None)
    assert (row.poster_path, row.backdrop_path) == ("", "")
    assert (row.popularity, row.vote_average, row.vote_count) == (0.0, 0.0, 0)


def test_a_film_without_a_title_goes_by_its_original_one() -> None:
    assert (ROWS[7].title, ROWS[7].release_date) == ("\u5343\u3068\u5343\u5c0b", None)


def test_texts_are_fit_to_be_stored() -> None:
    assert ROWS[8].title == "Line breaks and NUL and half a pair"
    assert ROWS[8].overview == "One.\n\nTwo."
    assert len(ROWS[9].title) == 300
    assert len(ROWS[9].overview) == 10_000


def test_adult_films_say_so() -> None:
    assert [row.tmdb_id for row in ROWS.values() if row.adult] == [10]


@given(ODDITIES)
def test_no_oddity_of_a_description_costs_the_film(oddities: dict[str, Any]) -> None:
    adult = {"adult": bool(oddities.get("adult"))}
    for movie in (movie_row, movie_details):
        film = movie({**oddities, **adult, "id": 5, "title": "T"})
        assert (film.tmdb_id, film.title) == (5, "T")
        assert math.isfinite(film.popularity)
        repr(film).encode()


@given(JSON | ODDITIES | st.dictionaries(st.sampled_from(["id", "title", "original_title", "adult"]), JSON))
def test_whatever_a_row_holds_it_is_a_film_or_a_value_error(row: Any) -> None:
    try:
        film = movie_row(row)
    except ValueError:
        return
    assert 1 <= film.tmdb_id <= 2**31 - 1
    assert film.title.strip()
    film.title.encode()
