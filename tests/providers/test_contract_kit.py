"""The conformance kit itself: each broken adapter is turned down by its rule, by no other, and says why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from providers.base import LicensedProvider
from tests.providers.broken.adapters import BROKEN, AsksAgainAndAgain, ForgetsTheRights
from tests.providers.broken.tidy import Tidy
from tests.providers.kit import RULES, BrokenRule, Case
from tests.providers.kit.recorded import Recorded, read
from tests.providers.kit.replay import ReplayingOrigin

TIDY = Path(__file__).parent / "broken" / "tidy.toml"


@pytest.fixture(scope="module")
def replaying() -> Iterator[ReplayingOrigin]:
    with ReplayingOrigin().running() as origin:
        yield origin


@pytest.fixture(scope="module")
def recorded(replaying: ReplayingOrigin) -> Recorded:
    return read(TIDY, origin=replaying.url)


def broken_rules(case: Case) -> dict[str, str]:
    """The rules that turn it down, and in which words."""
    found = {}
    for name, rule in RULES.items():
        try:
            rule(case)
        except BrokenRule as broken:
            found[name] = str(broken)
    return found


def test_a_tidy_adapter_keeps_every_rule(recorded: Recorded, replaying: ReplayingOrigin) -> None:
    assert broken_rules(Case(Tidy, recorded, replaying)) == {}


@pytest.mark.parametrize(("rule", "adapter"), BROKEN, ids=[adapter.__name__ for _, adapter in BROKEN])
def test_a_broken_adapter_is_turned_down_by_its_rule_alone(
    rule: str, adapter: type[LicensedProvider], recorded: Recorded, replaying: ReplayingOrigin
) -> None:
    if adapter is ForgetsTheRights:  # what is recorded would tell, too
        told = [{k: v for k, v in row.items() if k != "licence"} for row in recorded.candidates]
        recorded = replace(recorded, candidates=tuple(told))
    found = broken_rules(Case(adapter, recorded, replaying))
    assert list(found) == [rule], found
    assert len(found[rule]) > 10


def test_one_search_too_long_is_not_made_up_for_by_a_short_one(
    recorded: Recorded, replaying: ReplayingOrigin
) -> None:
    """By this rule alone, as each of its thirteen requests costs the others their time."""
    with pytest.raises(BrokenRule, match="more than 12 requests"):
        RULES["asks_within_bounds"](Case(AsksAgainAndAgain, recorded, replaying))


def test_every_rule_has_an_adapter_that_breaks_it() -> None:
    assert {rule for rule, _ in BROKEN} == set(RULES)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("https://films.example.org/api", "hearsay"), "`source` has to name"),
        (("[[500]]", "[[502]]"), "there is no situation '502'"),
        (("[[empty]]", "[[malformed]]"), "'empty' is not recorded"),
    ],
)
def test_a_file_of_answers_that_is_not_complete_is_named(
    change: tuple[str, str], words: str, tmp_path: Path
) -> None:
    path = tmp_path / "tidy.toml"
    path.write_text(TIDY.read_text().replace(*change))
    with pytest.raises(ValueError, match=r"tidy\.toml: ") as caught:
        read(path, origin="http://127.0.0.1:1")
    assert words in str(caught.value)
