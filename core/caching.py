"""How long an answer of the API holds, and whether it is another one by now: Cache-Control, Vary, ETag, 304.

A view says by its `caching` what it is; the answers of one that says nothing are kept by nobody.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from enum import Enum

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response, patch_vary_headers

from core import problems
from core.answers import is_api

NOBODY = "private, no-store"
SHORTLY = "public, max-age=30"
UNTIL_ASKED = "no-cache"
PRECONDITION = "What the request takes for granted is not so (any more)."


class Caching(Enum):
    """What may be kept of a view's answers."""

    NONE = "by nobody"
    SHARED = "by any cache for half a minute; with a token, which may show more, by nobody"
    FRESH = "by any cache that asks each time whether it is still so"


def of(view: object) -> Caching:
    """What a view says of its answers."""
    said: Caching = getattr(view, "caching", Caching.NONE)
    return said


class Cached:
    """Middleware: the headers of every answer of the API, and 304 for what the client has already."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not is_api(request.path):
            return response
        if request.method not in ("GET", "HEAD") or response.status_code != 200 or response.streaming:
            response.headers.setdefault("Cache-Control", NOBODY)
            return response
        _say(request, response)
        return _unless_known(request, response)


def _say(request: HttpRequest, response: HttpResponse) -> None:
    found = request.resolver_match.func if request.resolver_match else None
    said = of(getattr(found, "view_class", None))
    if said is Caching.SHARED:
        patch_vary_headers(response, ["Authorization"])
    signed_in = "Authorization" in request.headers
    words = {
        Caching.NONE: NOBODY,
        Caching.FRESH: UNTIL_ASKED,
        Caching.SHARED: NOBODY if signed_in else SHORTLY,
    }
    response.headers.setdefault("Cache-Control", words[said])


def _unless_known(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """The answer, or 304; 412 where the request was to hold for another one."""
    tag = f'"{hashlib.sha256(response.content).hexdigest()[:32]}"'
    response.headers.setdefault("ETag", tag)
    answer = get_conditional_response(request, etag=response["ETag"], response=response)
    if answer is not None and answer.status_code == 412:
        answer = problems.json_response(412, PRECONDITION)
        answer["Cache-Control"] = NOBODY
    return answer if isinstance(answer, HttpResponse) else response
