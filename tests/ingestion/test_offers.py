"""What a provider's answer leaves in the catalogue, where its words are longer than our columns."""

from __future__ import annotations

import pytest

from ingestion import offers
from providers.services import ProviderAnswer
from providers.types import Delivery, SearchAnswer, StreamCandidate
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
