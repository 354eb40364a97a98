"""What failures, answers and probes of a provider mean, in an operator's words, and what to do about each.

Pure: it is handed what has its secrets masked already, and adds nothing that might hold one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from providers.errors import (
    ProviderBadResponse,
    ProviderError,
    ProviderMisconfigured,
    ProviderRateLimited,
    ProviderRefused,
    ProviderTransient,
)
from providers.messages import Response
from providers.types import MovieRef, ProbeOutcome, SearchAnswer

OVERDUE: Final = "It is too slow to be of use as it is now. Try again; if it stays so, ask the provider."
OUR_BUG: Final = (
    "This is a mistake in Marquee, not in the settings. The log of the web process has the details."
)
REFUSED: Final = (
    "Marquee itself does not go there. Check the address and the allowed hosts; one in your own network "
    "has to be among HTTP_TRUSTED_ORIGINS."
)
NOTHING_TO_ASK: Final = (
    "The adapter has nothing to ask for this film: give what it finds films by, such as an IMDb id."
)
NO_STREAMS: Final = (
    "It answers as it should, and has nothing of this film. To prove more, name a film that it has."
)
PROBED: Final[Mapping[ProbeOutcome, str]] = {
    ProbeOutcome.OK: "",
    ProbeOutcome.DEAD: "The stream is listed, and is not there or is no video. The provider has to mend it.",
    ProbeOutcome.FORBIDDEN: "It is there, and we may not have it: ask the provider about your licence.",
    ProbeOutcome.UNEMBEDDABLE: "The page forbids your site to frame it: the provider has to allow it.",
    ProbeOutcome.THROTTLED: "It wants fewer requests. Lower its requests per second, or try again later.",
    ProbeOutcome.PROVIDER_DOWN: "The host of the streams does not work at the moment. Try again later.",
    ProbeOutcome.INCONCLUSIVE: "Nothing could be measured. A stream like this is never chosen by itself.",
}
_BY_STATUS: Final[Mapping[int, str]] = {
    401: "It does not accept what we sign in with: enter its key or token again.",
    403: "It does not let us in: its key or token is wrong, or the licence does not cover this.",
    404: "There is nothing at this address: check the base URL.",
    410: "There is nothing at this address any more: check the base URL.",
}


def meaning(error: ProviderError) -> str:
    """What an error means, and whose turn it is."""
    if error.status is not None and error.status in _BY_STATUS:
        return _BY_STATUS[error.status]
    match error:
        case ProviderMisconfigured():
            return "Correct this on the provider's page."
        case ProviderRefused():
            return REFUSED
        case ProviderRateLimited(status=None):
            return (
                "There is no room at its pace now: others wait for their turn, or it asked for a pause. "
                "Try again in a minute; Reset, on its page, ends a pause."
            )
        case ProviderRateLimited():
            return "It works, and wants fewer requests: lower its requests per second, or try again later."
        case ProviderTransient(unreachable=True):
            return "Nobody could be reached there: check the address for a slip, and whether the host is up."
        case ProviderTransient():
            return "The failure is the provider's, and may pass: try again later."
        case ProviderBadResponse():
            return (
                "This adapter cannot read what answers there: check the address, or the provider has changed."
            )
    return "It will not work like this: check the settings against what the provider says of them."


def said(error: ProviderError) -> str:
    """What came, in the error's words and the beginning of its own."""
    excerpt = " ".join(error.answer.split())[:200]
    return f"{error.message}: “{excerpt}”" if excerpt else error.message


def summary(response: Response) -> str:
    """One answer: status, size, type."""
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip()[:60]
    return f"HTTP {response.status}, {size(len(response.body))}{f' of {kind}' if kind else ''}"


def film(movie: MovieRef) -> str:
    """A film as it was asked for."""
    ids = ", ".join(filter(None, [f"TMDB {movie.tmdb_id}", movie.imdb_id]))
    return f"{movie.title}{f' ({movie.year})' if movie.year else ''}, {ids}"


def found(answer: SearchAnswer) -> str:
    """How many streams there are in an answer."""
    number = len(answer.candidates)
    skipped = f"; {_count(answer.skipped, 'row')} could not be read" if answer.skipped else ""
    return f"{_count(number, 'stream')}{skipped}"


def size(number: int) -> str:
    """Bytes for people."""
    return f"{number / 1000:.1f} kB" if number >= 1000 else f"{number} bytes"


def _count(number: int, what: str) -> str:
    return f"{number or 'no'} {what}{'' if number == 1 else 's'}"
