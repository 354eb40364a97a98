"""Keys that sort by the time they were made."""

from __future__ import annotations

import time
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import ids


@given(st.lists(st.integers(0, 2**48 - 1), min_size=2, unique=True))
def test_keys_sort_by_their_millisecond(milliseconds: list[int]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        made = []
        for moment in sorted(milliseconds):
            patch.setattr(ids.time, "time_ns", lambda moment=moment: moment * 1_000_000)
            made.append(ids.uuid7())
    assert made == sorted(made)
    assert [str(key) for key in made] == sorted(str(key) for key in made)
    assert [key.int >> 80 for key in made] == sorted(milliseconds)


def test_a_key_is_a_version_7_uuid_of_now() -> None:
    before = time.time_ns() // 1_000_000
    key = ids.uuid7()
    assert (key.version, key.variant) == (7, uuid.RFC_4122)
    assert before <= key.int >> 80 <= time.time_ns() // 1_000_000


def test_keys_of_one_millisecond_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ids.time, "time_ns", lambda: 1_700_000_000_000_000_000)
    assert len({ids.uuid7() for _ in range(1000)}) == 1000


def test_keys_of_one_millisecond_sort_by_the_microsecond(monkeypatch: pytest.MonkeyPatch) -> None:
    """Log lines are often written within one millisecond, and are read in the order of their keys."""
    made = []
    for microsecond in range(1000):
        monkeypatch.setattr(ids.time, "time_ns", lambda: 1_700_000_000_000_000_000 + microsecond * 1000)  # noqa: B023
        made.append(ids.uuid7())
    assert made == sorted(made)
