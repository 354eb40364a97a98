"""What viewers are told, held to the OpenAPI document, which a frontend's types are made from."""

from __future__ import annotations

import pytest

from tests.contract import document
from tests.streaming.live.stack import Stack

pytestmark = [pytest.mark.servers, pytest.mark.rows]

ELSEWHERE = {"url": "https://films.example/moved.m3u8"}
TURNS = (
    ("activate", 720),
    ("decide",),  # to 1080p, which is better
    ("rollback",),
    ("observe", 720, ELSEWHERE),
    ("observe", 720, {"state": "broken"}),
    ("decide",),
    ("observe", 1080, {"state": "broken"}),
    ("decide",),  # nothing is left
    ("withdraw",),
)


def test_every_event_has_the_shape_that_is_told_of_it(stack: Stack) -> None:
    shapes = document.named("watchMovie")[2]["x-events"]
    movie = stack.new_movie(height=0)
    with stack.watch(movie) as stream:
        told = [stream.next()]
        for verb, *words in TURNS:
            stack.tell(verb, movie, *words)
            if words[-1:] == [720]:
                with stack.watch(movie) as another:
                    told.append(another.next())
        told += iter(stream.next, None)
    assert {event.type for event in told} == shapes.keys()
    for event in told:
        errors = [error.message for error in document.validator(shapes[event.type]).iter_errors(event.data)]
        assert errors == [], event
