"""Every path and method that Django answers, from the URL table: matrices written by hand are held to it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from core.api import contract
from core.api.contract import Operation
from core.api.nowhere import Nowhere

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
PLACES = {
    "movie:movie_id": "movie",
    "uuid:run_id": "run",
    "str:job": "job",
    "str:key": "key",
    "slug:slug": "provider",
}
"""What stands for the names in paths of the API. A new one belongs here."""


def published() -> set[tuple[str, str]]:
    """Method and path of all that Django answers beside pages and the admin; `{movie}` and the like in it."""
    found = set()
    for route, view in answered():
        found |= {(name, _path_of(route)) for name in METHODS if hasattr(view, name.lower())}
    return found


def declared() -> dict[tuple[str, str], Operation]:
    """The same, with what their views say that they take and answer (`core.api.contract`)."""
    views = {_path_of(route): view for route, view in answered()}
    found = {(name, path): contract.declared(views[path], name) for name, path in published()}
    return {key: said for key, said in found.items() if said}


def answered() -> list[tuple[str, Any]]:
    """Their routes, and the class of each view."""
    known = [(route, _class_of(callback)) for route, callback in routes() if not is_of_admin(route)]
    return [(route, view) for route, view in known if view not in (None, Nowhere)]


def pages() -> set[str]:
    """The routes of pages: their views are functions."""
    return {route for route, view in routes() if not is_of_admin(route) and _class_of(view) is None}


def admin() -> set[str]:
    return {route for route, _ in routes() if is_of_admin(route)}


def is_of_admin(route: str) -> bool:
    return route.startswith("admin/")


def routes(resolver: URLResolver | None = None, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for entry in (resolver or get_resolver()).url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from routes(entry, route)
        elif isinstance(entry, URLPattern):
            yield route, entry.callback


def _path_of(route: str) -> str:
    return re.sub(r"<([^>]+)>", lambda match: f"{{{PLACES[match[1]]}}}", route).rstrip("/")


def _class_of(callback: Any) -> Any:
    return getattr(callback, "cls", None) or getattr(callback, "view_class", None)
