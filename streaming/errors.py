"""Why a switch was refused. Each says it in a sentence for a person and carries a code for a program."""

from __future__ import annotations

from collections.abc import Iterable

from core.refusals import Refusal


class SwitchError(Refusal):
    """A verb of `streaming.switching` was refused; nothing was written."""

    code = "refused"


class UnknownMovie(SwitchError):
    """There is no such movie."""

    code = "not_found"


class UnknownVersion(SwitchError):
    """There is no such version of this movie."""

    code = "not_found"


class Withdrawn(SwitchError):
    """The movie was taken out of the catalogue; it has to be restored first."""

    code = "withdrawn"


class StaleSeq(SwitchError):
    """The caller's `if_seq` is no longer the movie's newest turn."""

    code = "stale"


class NotPlayable(SwitchError):
    """The stream cannot be made active. `reasons` are codes."""

    code = "not_playable"

    def __init__(self, message: str, reasons: Iterable[str]) -> None:
        super().__init__(message)
        self.reasons = tuple(reasons)


class NothingToUndo(SwitchError):
    """No switch of this movie is left to roll back."""

    code = "nothing_to_undo"


class PastGrace(SwitchError):
    """The stream that a rollback would return to was retired too long ago."""

    code = "past_grace"


class Contended(SwitchError):
    """Others kept taking the turn. Trying again later helps."""

    code = "contended"
