"""Addresses of pages and of the admin that hold NUL: refused before anybody looks for what no text can hold.

PostgreSQL and MongoDB take it for an error of ours. The API reads its own, and says which part is wrong.
"""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.admin.utils import unquote
from django.http import HttpRequest, HttpResponseBase

from core import answers


class RefuseNul:
    """Middleware: 400."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if _holds_nul(request) and not answers.is_api(request.path):
            return answers.response(request, 400, "This address holds NUL, which no text does.")
        return self.get_response(request)


def _holds_nul(request: HttpRequest) -> bool:
    """The admin writes keys in its own way, in which `_00` is NUL."""
    return "%00" in request.META.get("QUERY_STRING", "") or "\0" in unquote(request.path_info)
