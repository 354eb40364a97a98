"""What waits for a client that reads slowly: bounded, in order, the newest last, whatever happens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.live.news import MAILBOX_FRAMES, MAX_REPLAY, Frame, Mailbox, News, turns_to_tell
from streaming.live.viewer import Viewer
from tests import loops


def _frame(seq: int, kind: str = "turn") -> Frame:
    return Frame(seq, f"{kind} {seq}\n".encode())


def _news(known: int | None, seq: int) -> News:
    return News(1, _frame(seq, "snapshot"), tuple(map(_frame, turns_to_tell(known, seq))))


# How far the log moves on before each poll; None: the client reads.
polls = st.lists(st.one_of(st.none(), st.integers(1, MAX_REPLAY + 5)), max_size=80)


@given(polls)
def test_a_client_gets_every_turn_in_order_or_a_snapshot_in_place_of_those_it_missed(
    steps: list[int | None],
) -> None:
    mailbox, seq, known = Mailbox(), 0, 0
    for step in [*steps, None]:
        if step is not None:
            mailbox.put(_news(seq, seq + step))
            seq += step
            assert len(mailbox) <= MAILBOX_FRAMES
            continue
        for frame in mailbox.take():
            told = frame.data.startswith(b"turn")
            assert frame.seq == known + 1 if told else frame.seq > known
            known = frame.seq
        assert known == seq, "whoever has read everything knows the newest state"
    assert len(mailbox) == 0


def test_a_greeting_comes_before_what_came_in_meanwhile() -> None:
    mailbox = Mailbox()
    mailbox.put(_news(2, 3))
    mailbox.put_first([_frame(1), _frame(2)])
    assert [frame.seq for frame in mailbox.take()] == [1, 2, 3]


@pytest.mark.parametrize(
    ("known", "seq", "turns"),
    [
        (None, 5, []),  # nothing is known: a snapshot
        (4, 5, [5]),
        (2, 5, [3, 4, 5]),
        (0, MAX_REPLAY, list(range(1, MAX_REPLAY + 1))),
        (0, MAX_REPLAY + 1, []),  # too much was missed
        (7, 5, []),  # the log is shorter than it was
    ],
)
def test_which_turns_are_told(known: int | None, seq: int, turns: list[int]) -> None:
    assert list(turns_to_tell(known, seq)) == turns


def test_a_viewer_that_reads_nothing_costs_no_more_after_ten_thousand_turns() -> None:
    async def scenario() -> bytes | None:
        viewer = Viewer()
        viewer.greet([_frame(0, "snapshot")])
        for seq in range(1, 10_001):
            viewer.tell(_news(seq - 1, seq))
        return await viewer.next(1)

    data = loops.run(scenario()) or b""
    assert len(data.splitlines()) <= MAILBOX_FRAMES
    assert data.splitlines()[-1] == b"turn 10000"


def test_a_viewer_is_told_what_waits_and_the_last_word_before_it_is_over() -> None:
    async def scenario() -> list[bytes | None]:
        viewer = Viewer()
        viewer.tell(_news(0, 1))
        viewer.end(b"bye")
        viewer.end()
        return [await viewer.next(1), await viewer.next(1)]

    assert loops.run(scenario()) == [b"turn 1\nbye", None]


def test_nothing_new_is_an_empty_answer_after_the_patience() -> None:
    async def scenario() -> bytes | None:
        return await Viewer().next(0.001)

    assert loops.run(scenario()) == b""
