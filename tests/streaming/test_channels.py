"""Who may listen to a channel: anyone, to a movie that the public may see."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser

from streaming import events, switching
from streaming.events import Channels
from tests.streaming import factory
from tests.streaming.factory import EDITOR, NOW

pytestmark = pytest.mark.django_db


def may_listen(channel: str) -> bool:
    return Channels().can_read_channel(AnonymousUser(), channel)


def test_anyone_may_listen_to_a_movie_that_the_public_may_see() -> None:
    movie = factory.movie()
    assert may_listen(events.channel(movie.pk))
    switching.edit(movie.pk, hidden=True, actor=EDITOR, comment="", at=NOW)
    assert not may_listen(events.channel(movie.pk))


def test_nobody_may_listen_to_a_movie_that_was_withdrawn_or_never_was() -> None:
    movie = factory.movie()
    switching.withdraw(movie.pk, actor=EDITOR, comment="", at=NOW)
    assert not may_listen(events.channel(movie.pk))
    assert not may_listen(events.channel(404))


@pytest.mark.parametrize("channel", ["", "secrets", events.channel(7) + "x", events.channel(7) + "\u0967x"])
def test_no_other_channel_can_be_listened_to(channel: str) -> None:
    assert not may_listen(channel)


def test_a_route_without_a_movie_has_no_channel() -> None:
    assert Channels().get_channels_for_request(None, {}) == set()
    assert Channels().get_channels_for_request(None, {"movie_id": 7}) == {events.channel(7)}
