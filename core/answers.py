"""An error in the form of whoever asked: a problem for a program, a page for a person.

The page is a template of its own that needs no database, no session and no request: it is shown when these
are what failed.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template import loader

from core import problems

PAGE = "text/html; charset=utf-8"
_HEADINGS = {
    400: "That was not understood",
    403: "That is not allowed",
    408: "That took too long",
    413: "That is too large",
    429: "A little slower, please",
    500: "Something went wrong",
    503: "Back in a moment",
}


def is_api(path: str) -> bool:
    return path.startswith(("/api/", "/healthz", "/readyz", "/metrics"))


def error(path: str, status: int, said: str, **members: Any) -> tuple[str, bytes]:
    """Content type and body. `said` is a sentence for a person; `members` are a problem's own."""
    if is_api(path):
        return problems.CONTENT_TYPE, json.dumps(problems.body(status, said, **members)).encode()
    heading = _HEADINGS.get(status, HTTPStatus(status).phrase)
    page = loader.get_template("error.html").render({"heading": heading, "said": said, **members})
    return PAGE, page.encode()


def response(request: HttpRequest, status: int, said: str, **members: Any) -> HttpResponse:
    """The same as an answer of Django's. It is for this one request: nobody may keep it."""
    content_type, body = error(request.path, status, said, **members)
    headers = {"Cache-Control": "no-store"}
    return HttpResponse(body, status=status, content_type=content_type, headers=headers)
