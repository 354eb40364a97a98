"""Routes that answer with and without a trailing slash, so that nobody is redirected away from a POST."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, path


def both(route: str, view: Callable[..., Any], name: str) -> list[URLPattern]:
    """`route` (written without the slash) and its twin; `reverse` gives the one without."""
    return [path(f"{route}/", view, name=name), path(route, view, name=name)]
