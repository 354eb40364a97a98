"""What Django answers when a request fails before or beside a view: a problem under `/api/`, else a page."""

from __future__ import annotations

import sys

from django.http import HttpRequest, HttpResponse
from django.template import loader
from django.views import defaults

from core import correlation, problems
from core.outages import OUTAGES, RETRY_AFTER_S


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_api(request):
        return problems.json_response(400, "The request's host name, size or form is not accepted here.")
    return defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_api(request):
        return problems.json_response(403, "You may not do this.")
    return defaults.permission_denied(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Also for what fails in a middleware, before any view: Django calls this while it handles the error."""
    if isinstance(sys.exception(), OUTAGES):
        return _away(request)
    if is_api(request):
        said = "Something went wrong on our side, and was logged."
        return problems.json_response(500, said, request_id=correlation.current())
    return defaults.server_error(request)


def _away(request: HttpRequest) -> HttpResponse:
    if is_api(request):
        response: HttpResponse = problems.json_response(503, problems.AWAY)
    else:
        response = HttpResponse(loader.get_template("away.html").render(), status=503)
    response["Retry-After"] = str(RETRY_AFTER_S)
    response["Cache-Control"] = "no-store"
    return response


def is_api(request: HttpRequest) -> bool:
    return request.path.startswith(("/api/", "/healthz", "/readyz"))
