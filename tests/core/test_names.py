"""Names of accounts: what is folded into one, and what a new one may not be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.names import LONGEST, RESERVED, faults_of, fold
from streaming.switching import SYSTEM


@pytest.mark.parametrize(
    "written",
    [
        "ada",
        "ADA",
        " Ada\n",
        "\uff21\uff24\uff21",  # fullwidth
        "\U0001d41a\U0001d41d\U0001d41a",  # mathematical bold
        "\u24d0\u24d3\u24d0",  # circled
        "\u1d43\u1d48\u1d43",  # superscript
    ],
    ids=ascii,
)
def test_what_looks_like_ada_is_ada(written: str) -> None:
    assert fold(written) == "ada"


def test_german_and_greek_capitals_fold() -> None:
    assert fold("STRASSE") == fold("stra\u00dfe")
    assert fold("\u03a3\u038a\u03a3\u03a5\u03a6\u039f\u03a3") == fold(
        "\u03c3\u03af\u03c3\u03c5\u03c6\u03bf\u03c2"
    )


@given(st.text())
def test_a_folded_name_stays_as_it_is(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize(
    "name",
    ["a", "ada", "ada@example.org", "j\u00fcrgen", "\u5f20\u4f1f", "\u0438\u0432\u0430\u043d", "x" * LONGEST],
)
def test_names_of_many_scripts_are_taken(name: str) -> None:
    assert faults_of(fold(name)) == []


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "characters"),
        ("x" * (LONGEST + 1), "characters"),
        ("\ufdfa" * 4, "characters"),  # one becomes eighteen
        ("\ufdfa", "letters, numbers"),  # spaces among them
        ("ada lovelace", "letters, numbers"),
        ("ada\r\nX-Admin: 1", "letters, numbers"),
        ("ada\u200b", "letters, numbers"),
        ("ada\u202e", "letters, numbers"),
        ("<script>", "letters, numbers"),
        ("$gt", "letters, numbers"),
        ("../admin", "letters, numbers"),
        ("ada\u3164", "invisible"),
        ("ada\uffa0", "invisible"),
        ("\u0430dmin", "one alphabet"),  # Cyrillic a
        ("\u03bfperator", "one alphabet"),  # Greek o
        ("Admin", "reserved"),
        ("MARQUEE", "reserved"),
    ],
    ids=ascii,
)
def test_a_name_that_deceives_or_breaks_something_is_refused(name: str, why: str) -> None:
    [fault] = faults_of(fold(name))
    assert why in fault


def test_nobody_is_called_what_the_log_calls_us() -> None:
    assert fold(SYSTEM.name) in RESERVED
