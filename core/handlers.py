"""What Django answers when a request fails before or beside a view: a problem under `/api/`, else a page."""

from __future__ import annotations

import sys

from django.http import HttpRequest, HttpResponse

from core import answers, correlation, problems
from core.outages import OUTAGES, RETRY_AFTER_S


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answers.response(request, 400, "The request's host name, size or form is not accepted here.")


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answers.response(request, 403, "You may not do this.")


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """CSRF_FAILURE_VIEW. The reason is Django's own, for the log; a person can only do one thing."""
    said = "This form is too old, or did not come from here. Go back, load the page again and repeat it."
    return answers.response(request, 403, said)


def server_error(request: HttpRequest) -> HttpResponse:
    """Also for what fails in a middleware, before any view: Django calls this while it handles the error."""
    if isinstance(sys.exception(), OUTAGES):
        response = answers.response(request, 503, problems.AWAY)
        response["Retry-After"] = str(RETRY_AFTER_S)
        return response
    said = "Something went wrong on our side, and was logged."
    return answers.response(request, 500, said, request_id=correlation.current())
