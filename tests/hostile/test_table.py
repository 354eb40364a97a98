"""No path is added without being attacked."""

from __future__ import annotations

from tests import urls
from tests.hostile.table import IN_PATHS, TABLE, WRITTEN, Kind


def test_every_path_and_method_is_attacked() -> None:
    assert urls.published() == set(TABLE)


def test_every_member_that_a_path_says_it_takes_is_attacked_and_no_other_is_known() -> None:
    for (method, path), said in urls.declared().items():
        takes = TABLE[method, path]
        assert set(takes.query) == set(said.query().fields if said.query else ()), (method, path)
        assert set(takes.body) == set(said.body().fields if said.body else ()), (method, path)


def test_every_place_in_a_path_is_attacked() -> None:
    assert set(IN_PATHS) == set(urls.PLACES.values())


def test_every_kind_that_a_query_takes_is_attacked() -> None:
    assert {kind for takes in TABLE.values() for kind, _ in takes.query.values()} <= set(WRITTEN)
    assert all(kind in Kind for takes in TABLE.values() for kind, _ in takes.body.values())
