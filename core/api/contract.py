"""How a view says what it is asked and what it answers: `@operation` on its method, shapes as serializers.

A declaration alone: nothing here decides, parses or renders. `core.api.openapi` makes the document of it, and
tests hold what the views really answer against that. The method's docstring is for whoever calls it: its
first line is the summary, the rest the description.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

from django.db.models import TextChoices
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.views import APIView

from core.problems import Problem
from core.serializers import Strict

Handler = TypeVar("Handler", bound=Callable[..., Any])


class Tag(TextChoices):
    """A chapter of the document, and what stands in it."""

    ACCOUNTS = "Accounts", "Signing in and out, with JSON Web Tokens."
    CATALOGUE = "Catalogue", "Movies, as the public may know them, and what editors make of them."
    STREAMS = (
        "Streams",
        "What to play, what else there is, and why. Editors move movies from one to another.",
    )
    JOBS = "Jobs", "What runs, what ran and what it said; starting and cancelling."
    PROVIDERS = "Providers", "Where streams come from, and how each provider is doing."
    SETTINGS = "Settings", "What operators may change while everything runs."
    OPERATIONS = "Operations", "Health, numbers and records for whoever runs the service."


class Shape(serializers.Serializer[None]):
    """What an answer looks like: a declaration, which serializes nothing. `example` is one.

    A trailing underscore is no part of a member's name: `from_` declares `from`.
    """

    example: ClassVar[Any] = None

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {name.rstrip("_"): shape for name, shape in super().get_fields().items()}


class Outside(APIView):
    """Stands in the document for what answers beside DRF. No route leads here, and nothing is added to what
    it declares. `security` is what the document says of it, in OpenAPI's terms; `events` are the shapes of
    what a stream of server-sent events carries, by the event's name.
    """

    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_classes = []
    security: ClassVar[list[dict[str, list[str]]]] = [{}]
    events: ClassVar[Mapping[str, Any]] = {}

    @classmethod
    def at(cls, path: str, route: str) -> tuple[str, str, str, Any]:
        """As an endpoint of drf-spectacular's: path, path with converters, method, view."""
        return path, route, "GET", cls.as_view()


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path, as the document tells it."""

    name: str
    tag: Tag
    answer: Any
    status: int = 200
    also: Sequence[int] = ()
    query: type[Strict] | None = None
    body: type[Strict] | None = None
    refuses: Sequence[Problem] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = "application/json"
    request_headers: Mapping[str, str] = field(default_factory=dict)


def operation(
    name: str,
    tag: Tag,
    answer: Any,
    *,
    status: int = 200,
    also: Sequence[int] = (),
    query: type[Strict] | None = None,
    body: type[Strict] | None = None,
    refuses: Sequence[Problem] = (),
    headers: Mapping[str, str] | None = None,
    media_type: str = "application/json",
    request_headers: Mapping[str, str] | None = None,
) -> Callable[[Handler], Handler]:
    """Declare a view's method.

    `name` is the operation's id (`listMovies`), for ever: clients are generated from it. `answer` is a shape
    (`many(shape)` for a list, a tuple of shapes for one of them, None for text or nothing) and comes with
    `status`, or with one of `also`. `refuses` are problems as the view raises them, each an example of its
    status and reason; what the parts around a view refuse (a role, a throttle, the size of a body) is known
    already. `headers` are those of the answer, with what they say; that every answer to GET has an ETag is
    known as well. What is no JSON has a `media_type`. `request_headers` are those that it heeds of its own.
    """
    told, asked = headers or {}, request_headers or {}
    said = Operation(name, tag, answer, status, also, query, body, refuses, told, media_type, asked)

    def declare(handler: Handler) -> Handler:
        handler.operation = said  # type: ignore[attr-defined]
        return handler

    return declare


def many(shape: type[Shape]) -> serializers.BaseSerializer[Any]:
    """A list of them."""
    return shape(many=True)


def declared(view: object, method: str) -> Operation | None:
    """What a view says of this method; None if it says nothing."""
    found: Operation | None = getattr(getattr(view, method.lower(), None), "operation", None)
    return found
