"""Refusals of the switch log as HTTP problems."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from core.problems import Problem
from streaming.errors import NotPlayable, SwitchError, UnknownMovie, UnknownVersion


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
