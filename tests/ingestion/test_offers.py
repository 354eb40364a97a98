"""What a provider's answer leaves in the catalogue, where its words are longer than our columns."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ingestion import offers
from providers.services import ProviderAnswer
from providers.types import Delivery, Rights, SearchAnswer, StreamCandidate
from streaming.models import StreamVersion
from tests.streaming import factory
from tests.streaming.factory import NOW

pytestmark = pytest.mark.django_db


def offered(ref: str) -> StreamCandidate:
    return StreamCandidate(url="https://cdn.example/a.mp4", delivery=Delivery.PROGRESSIVE, ref=ref)


def test_a_rendition_with_a_long_id_is_kept_and_known_again_by_all_of_it() -> None:
    movie = factory.movie()
    provider = factory.provider(config={"base_url": "https://cdn.example"})
    refs = ["x" * 400 + "1", "x" * 400 + "2"]
    answer = ProviderAnswer(provider, SearchAnswer(candidates=tuple(map(offered, refs))))
    assert len(offers.take_in(movie, [answer], at=NOW).new) == 2
    assert offers.take_in(movie, [answer], at=NOW).new == []
    assert set(StreamVersion.objects.values_list("ref", flat=True)) == {"x" * 300}


def test_what_the_rendition_format_allows_is_kept_whole() -> None:
    """A licence asks to name everybody: half a name names nobody, and half an address leads nowhere."""
    provider = factory.provider(config={"base_url": "https://cdn.example"})
    words = {
        "licence": "L" * 500,
        "licence_url": f"https://cdn.example/{'l' * 480}",
        "attribution": "A" * 500,
    }
    whole = replace(offered("a"), edition="E" * 100, rights=Rights(**words))
    offers.take_in(factory.movie(), [ProviderAnswer(provider, SearchAnswer(candidates=(whole,)))], at=NOW)
    stored = StreamVersion.objects.values("edition", *words).get()
    assert stored == {"edition": "E" * 100, **words}
