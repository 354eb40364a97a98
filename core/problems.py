"""Every error of the API is an RFC 9457 problem: `application/problem+json`."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

from core.outages import OUTAGES, RETRY_AFTER_S

logger = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"
AWAY = "The database does not answer. Please try again."


class Problem(exceptions.APIException):
    """An error with a status, a sentence for a person, and members of its own for a program.

    `wait` are seconds until it is worth to try again: they become Retry-After.
    """

    wait: float | None = None

    def __init__(self, status: int, detail: str, **members: Any) -> None:
        super().__init__(detail)
        self.status_code = status
        self.members = members


def body(status: int, detail: str, **members: Any) -> dict[str, Any]:
    """The members of a problem (RFC 9457, section 3)."""
    return {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        **members,
    }


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler: keeps its statuses and headers, changes the body. None for a bug."""
    outage = isinstance(error, OUTAGES)
    if outage:
        logger.error("the database does not answer: %s", error)
        error = Problem(503, AWAY)
    response = exception_handler(error, context)
    if response is None:
        return None
    if outage:
        response["Retry-After"] = str(RETRY_AFTER_S)
    response.data = _body_of(error, response.status_code)
    response.content_type = CONTENT_TYPE
    return response


def json_response(status: int, detail: str, **members: Any) -> JsonResponse:
    """A problem from outside DRF."""
    return JsonResponse(body(status, detail, **members), status=status, content_type=CONTENT_TYPE)


def _body_of(error: Exception, status: int) -> dict[str, Any]:
    if isinstance(error, exceptions.ValidationError):
        return body(status, "The request is not valid.", errors=_by_field(error.detail))
    members = error.members if isinstance(error, Problem) else {}
    return body(status, _sentence(error), **members)


def _sentence(error: Exception) -> str:
    if isinstance(error, Http404):
        return str(error) or "Not found."
    if isinstance(error, PermissionDenied):
        return str(error) or "You may not do this."
    detail = getattr(error, "detail", error)
    # Simple JWT's errors carry a dictionary, with the sentence in it.
    return str(detail.get("detail", "The request was refused.") if isinstance(detail, dict) else detail)


def _by_field(detail: Any) -> Any:
    return detail if isinstance(detail, dict) else {"non_field_errors": detail}
