"""What a failure on the wire, or a status above 399, means in the family of providers/errors.py.

The words are our own, because those of requests and urllib3 quote whole URLs, keys included.
"""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterator

import requests
import urllib3

from providers.errors import (
    Context,
    ProviderBadResponse,
    ProviderError,
    ProviderMisconfigured,
    ProviderPermanent,
    ProviderRateLimited,
    ProviderRefused,
    ProviderTransient,
)
from providers.guard import DestinationRefused
from providers.transport import Unreachable

RAW = (
    DestinationRefused,
    Unreachable,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,  # of which requests' own exceptions are a part
    UnicodeError,
)
"""Everything that sending a request and reading its answer may raise."""

_TIMEOUTS = (requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError)
_UNSENDABLE = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidHeader,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
    urllib3.exceptions.LocationValueError,
    http.client.InvalidURL,
    UnicodeError,
)


def of_exception(exc: Exception, context: Context, mask: Callable[[str], str]) -> ProviderError:
    """The error that one of RAW means. A host can be a server's word, so what names one is masked."""
    if isinstance(exc, DestinationRefused):
        return ProviderRefused(mask(str(exc)), ours_alone=exc.ours_alone, **context)
    if isinstance(exc, Unreachable):
        return ProviderTransient(mask(str(exc)), unreachable=True, **context)
    if any(isinstance(cause, urllib3.exceptions.InvalidHeader) for cause in _causes(exc)):  # of the answer
        return ProviderBadResponse("the answer's headers contradict each other", **context)
    if isinstance(exc, _UNSENDABLE):
        return ProviderPermanent(f"not a request that can be sent ({type(exc).__name__})", **context)
    if isinstance(exc, requests.exceptions.SSLError | urllib3.exceptions.SSLError):
        return ProviderTransient("no trustworthy TLS connection", unreachable=True, **context)
    if isinstance(exc, urllib3.exceptions.DecodeError):
        return ProviderBadResponse("the answer's compression is broken", **context)
    if any(isinstance(cause, _TIMEOUTS) for cause in _causes(exc)):
        return ProviderTransient("no complete answer in time", **context)
    return ProviderTransient(f"the connection broke ({type(exc).__name__})", **context)


def of_status(status: int, retry_after_s: float | None, context: Context) -> ProviderError:
    """The error that a status above 399 means."""
    if status == 429 or (status == 503 and retry_after_s is not None):
        return ProviderRateLimited(
            f"asked us to slow down (HTTP {status})", retry_after_s=retry_after_s, **context
        )
    if status >= 500 or status == 408:
        return ProviderTransient(f"failed with HTTP {status}", **context)
    if status in (401, 403):
        return ProviderMisconfigured(f"does not let us in (HTTP {status}): check its settings", **context)
    return ProviderPermanent(f"refused with HTTP {status}", **context)


def _causes(exc: BaseException) -> Iterator[BaseException]:
    yield exc
    for inner in (*exc.args, exc.__cause__, exc.__context__):
        if isinstance(inner, BaseException) and inner is not exc:
            yield from _causes(inner)
