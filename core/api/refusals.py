"""What the parts around a view refuse, as the document shows it: one example of each status.

Views declare only what is their own (`core.api.contract.operation`).
"""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.views import APIView

from core import problems
from core.api.contract import Operation, Outside
from core.caching import PRECONDITION
from core.parsers import TooLarge
from core.permissions import EditorWrites, role_wanted
from core.problems import Problem

INVALID = Problem(400, "The request is not valid.", errors={"limit": ["A valid integer is required."]})
UNKNOWN = Problem(401, "Authentication credentials were not provided.")
FORBIDDEN = Problem(403, "You do not have permission to perform this action.")
NOWHERE = Problem(404, "There is nothing at this address.", reason="not_found")
NOT_JSON = Problem(406, "Could not satisfy the request Accept header.")
TOO_SLOW = Problem(408, "The request did not end within 20 s.")
FAILED_PRECONDITION = Problem(412, PRECONDITION)
TOO_LARGE = Problem(413, TooLarge.default_detail)
NOT_TAKEN = Problem(415, 'Unsupported media type "text/plain" in request.')
TOO_MANY = Problem(429, "Request was throttled. Expected available in 42 seconds.")
BUG = Problem(
    500,
    "Something went wrong on our side, and was logged.",
    request_id="019a9d7e-7c1a-7cc0-8e3a-0d7f3f6f9b11",
)
AWAY = Problem(503, problems.AWAY)

EVERYWHERE = (NOT_JSON, BUG, AWAY)
OF_A_BODY = (INVALID, TOO_SLOW, TOO_LARGE, NOT_TAKEN)
ALL = (*EVERYWHERE, *OF_A_BODY, FAILED_PRECONDITION, UNKNOWN, FORBIDDEN, NOWHERE, TOO_MANY)

RETRY_AFTER = "Retry-After"
HEADERS: dict[int, dict[str, str]] = {
    401: {"WWW-Authenticate": "How to sign in: `Bearer`."},
    429: {RETRY_AFTER: "Seconds until it is worth to try again."},
    503: {RETRY_AFTER: "Seconds until it is worth to try again."},
}
"""What comes with a problem of this status, beside its body."""


def around(view: APIView, said: Operation, *, in_path: bool, method: str) -> Iterator[Problem]:
    """What the parts around this view may refuse of such a request."""
    if isinstance(view, Outside):
        return
    yield from EVERYWHERE
    if method == "GET":
        yield FAILED_PRECONDITION
    if said.body:
        yield from OF_A_BODY
    if said.query:
        yield INVALID
    if in_path:
        yield NOWHERE
    if view.get_authenticators():
        yield UNKNOWN
    if any(role_wanted(permission, method) for permission in view.get_permissions()):
        yield FORBIDDEN
    if view.throttle_classes or type(view).get_throttles is not APIView.get_throttles:
        yield TOO_MANY


def component(status: int) -> str:
    """The name under which the document keeps the problem of this status: `TooManyRequests`."""
    return HTTPStatus(status).phrase.title().replace(" ", "")


def who(view: APIView, method: str) -> str:
    """In words, who may do this."""
    wanted = [role_wanted(permission, method) for permission in view.get_permissions()]
    if any(wanted):
        return f"For {' and '.join(f'{role.value}s' for role in wanted if role)}."
    if any(isinstance(permission, IsAuthenticated) for permission in view.get_permissions()):
        return "For whoever is signed in."
    return "For anyone." if is_open(view, method) else "For nobody."


def is_open(view: APIView, method: str) -> bool:
    """Whether this takes no token."""
    return all(
        isinstance(permission, (AllowAny, EditorWrites)) and not role_wanted(permission, method)
        for permission in view.get_permissions()
    )


def body_of(problem: Problem) -> dict[str, Any]:
    """The problem as it is sent."""
    return problems.body(problem.status_code, str(problem.detail), **problem.members)
