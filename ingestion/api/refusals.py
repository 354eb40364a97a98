"""Refusals of the switch log as HTTP problems."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from core.problems import Problem
from streaming.errors import (
    Contended,
    NotPlayable,
    StaleSeq,
    SwitchError,
    UnknownMovie,
    UnknownVersion,
    Withdrawn,
)

UNKNOWN = [
    Problem(404, "There is no movie 550.", reason=UnknownMovie.code),
]
REFUSED = {
    problem.members["reason"]: problem
    for problem in (
        Problem(409, "The movie has moved on to switch 3.", reason=StaleSeq.code),
        Problem(
            409, "That version cannot be made active: broken.", reason=NotPlayable.code, reasons=["broken"]
        ),
        Problem(409, "Sintel (2010) was taken out of the catalogue.", reason=Withdrawn.code),
        Problem(409, "Sintel (2010) is being switched by others all the time.", reason=Contended.code),
    )
}
"""What a switch may be refused for, by reason."""


@contextmanager
def as_problems() -> Iterator[None]:
    """404 for what does not exist, 409 for what cannot be done now; both with the code of the refusal."""
    try:
        yield
    except (UnknownMovie, UnknownVersion) as error:
        raise Problem(404, str(error), reason=error.code) from None
    except NotPlayable as error:
        raise Problem(409, str(error), reason=error.code, reasons=list(error.reasons)) from None
    except SwitchError as error:
        raise Problem(409, str(error), reason=error.code) from None
