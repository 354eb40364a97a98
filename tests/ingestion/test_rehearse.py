"""`manage.py rehearse`: the dry run of a change of the policy, over all of a catalogue of any size."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from core import conf
from ingestion.models import IngestRun
from streaming import rehearsal, switching
from streaming.quality import Quality
from tests.streaming import factory
from tests.streaming.factory import NOW

pytestmark = pytest.mark.django_db


def rehearse(*words: str) -> list[str]:
    said = StringIO()
    call_command("rehearse", *words, stdout=said)
    return said.getvalue().splitlines()


@pytest.fixture
def films() -> None:
    for number, quality in ((1, Quality.P720), (2, Quality.P1080), (3, Quality.P720)):
        factory.version(factory.movie(number), quality.label, quality)
        switching.reconsider(number, at=NOW)


def test_every_film_that_would_switch_is_named_with_the_reason_and_nothing_is_changed(
    films: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rehearsal, "BATCH", 2)
    monkeypatch.setattr(rehearsal, "LISTED", 1)
    why = "if enforced: a stream is below MIN_QUALITY_TO_PUBLISH"
    assert rehearse("MIN_QUALITY_TO_PUBLISH", "1080p") == [
        f"1 Movie 1: 720p (library) -> nothing, {why}",
        f"3 Movie 3: 720p (library) -> nothing, {why}",
        "3 films looked at: 2 withdrawn if enforced.",
    ]
    assert conf.state("MIN_QUALITY_TO_PUBLISH").source == "default"
    assert not IngestRun.objects.exists()


def test_a_change_without_an_effect_says_so(films: None) -> None:
    assert rehearse("TARGET_QUALITY", "1080p") == ["3 films looked at: none would play anything else."]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("MIN_QUALITY_TO_PUBLISH", "4K"), "one of CAM, SD, 720p, 1080p, 1440p, 2160p; '4K' is not"),
        (("DISCOVER_PAGES", "3"), "invalid choice: 'DISCOVER_PAGES'"),
    ],
)
def test_what_cannot_be_rehearsed_is_refused(words: tuple[str, str], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        rehearse(*words)
