"""The OpenAPI 3.1 document, made of what views declare (`core.api.contract`) and of what stands around them.

Nothing here answers a request, and nothing in the document depends on who asks or where it runs.
"""

from __future__ import annotations

import inspect
import json
from functools import cache
from http import HTTPStatus
from itertools import groupby
from typing import Any

from drf_spectacular.contrib.rest_framework_simplejwt import SimpleJWTScheme
from drf_spectacular.drainage import error
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from rest_framework import serializers

from core import caching
from core.api import parts, refusals, shapes
from core.api.contract import Operation, Outside, Tag, declared
from core.api.parts import Json
from core.serializers import Strict

JSON = "application/json"
Endpoint = tuple[str, str, str, Any]

PLACES: dict[str, tuple[str, Any]] = {
    "movie_id": ("The movie's TMDB id.", 45745),
    "job": ("The job's name.", "content.match"),
    "run_id": ("The run's id.", "019a9d7e-7c1a-7cc0-8e3a-0d7f3f6f9b11"),
    "key": ("The setting's name.", "TARGET_QUALITY"),
    "slug": ("The provider's slug.", "library"),
}
"""What stands in paths: what it is, and one."""

ABOUT = """\
What frontends and scripts of a Marquee rely on. JSON in `snake_case`, times in UTC (RFC 3339), errors as
problems (RFC 9457) whose `reason` is for programs. Every path works with and without a trailing slash, and
`HEAD` wherever `GET` does. What a path does not know, in a body or a query, it refuses.

Sign in by `POST /api/auth/login` and send `Authorization: Bearer <access>`. *Published* means that a movie
has a stream and is not hidden; to the public nothing else exists.
"""
TAGGED = {"If-None-Match": "The `ETag` of an answer that is at hand: 304 while it would be the same."}
ETAG = {"ETag": "Names this state of the answer, for `If-None-Match`."}


class Bearer(SimpleJWTScheme):  # type: ignore[no-untyped-call]
    """The access token of `POST /api/auth/login`."""

    name = "bearer"
    priority = 1
    match_subclasses = True


class Schema(AutoSchema):
    """One operation of the document. A method that declares nothing is an error, and is left out."""

    said: Operation

    def get_operation(self, path: str, path_regex: str, path_prefix: str, method: str, registry: Any) -> Any:
        said = declared(self.view, method)
        if said is None:
            error(f"{method} {path} says nothing of itself: see core.api.contract.operation")
            return None
        self.said = said
        return super().get_operation(path, path_regex, path_prefix, method, registry)

    def get_auth(self) -> Any:
        if isinstance(self.view, Outside):
            return self.view.security
        asked = [each for each in super().get_auth() if each]
        return [*asked, {}] if refusals.is_open(self.view, self.method) else asked

    def get_extensions(self) -> Json:
        events = getattr(self.view, "events", {})
        return {"x-events": {name: self._shape(shape) for name, shape in events.items()}} if events else {}

    def get_operation_id(self) -> str:
        return self.said.name

    def get_tags(self) -> list[str]:
        return [self.said.tag.value]

    def get_summary(self) -> str:
        return self._doc()[0]

    def get_description(self) -> str:  # type: ignore[override]
        return "\n\n".join(filter(None, [self._doc()[1], refusals.who(self.view, self.method)]))

    def get_override_parameters(self) -> list[Any]:
        asked = self.said.query
        return [asked] if asked and asked().fields else []

    def get_response_serializers(self) -> Any:
        return {}  # the library would guess from it whether to page and to filter

    def _doc(self) -> tuple[str, str]:
        """Summary and description: the first line of the method's docstring, and the rest of it."""
        text = inspect.cleandoc(getattr(self.view, self.method.lower()).__doc__ or "")
        summary, _, rest = text.partition("\n")
        return summary.rstrip("."), rest.strip()

    def _get_parameters(self) -> list[Json]:
        parameters: list[Json] = super()._get_parameters()
        examples = (self.said.query.example if self.said.query else None) or {}
        for parameter in parameters:
            name = parameter["name"]
            if parameter["in"] == "path":
                parameter["description"], parameter["example"] = PLACES[name]
            elif name in examples:
                parameter["example"] = examples[name]
        heeded = {**(TAGGED if self._is_tagged() else {}), **self.said.request_headers}
        return parameters + [
            {"in": "header", "name": name, "description": what, "schema": {"type": "string"}}
            for name, what in heeded.items()
        ]

    def _is_tagged(self) -> bool:
        return self.method == "GET" and not isinstance(self.view, Outside)

    def _get_request_body(self, direction: Any = "request") -> Json | None:
        if self.said.body is None or not self.said.body().fields:
            return None
        component = self.resolve_serializer(self.said.body(), direction)
        content = parts.media(component.ref, self.said.body.example)
        return {
            "content": {JSON: content},
            "required": bool(component.schema.get("required")),
        }

    def _map_basic_serializer(self, serializer: Any, direction: Any) -> Json:
        """What is read strictly says so: a member that nobody knows is refused."""
        mapped: Json = super()._map_basic_serializer(serializer, direction)  # type: ignore[no-untyped-call]
        return {**mapped, "additionalProperties": False} if isinstance(serializer, Strict) else mapped

    def _get_response_bodies(self, direction: Any = "response") -> Json:
        return {**self._answers(), **self._refusals()}

    def _answers(self) -> Json:
        said = self.said
        kept = self._kept() if self._is_tagged() else {}
        headers = parts.headers({**kept, **said.headers})
        answer: Json = {"headers": headers}
        if said.answer is not None or said.media_type != JSON:
            answer["content"] = {said.media_type: self._content(said.answer)}
        unchanged = {"304": {"description": "Not Modified", "headers": parts.headers(kept)}} if kept else {}
        statuses = (said.status, *said.also)
        answers = {str(status): {"description": HTTPStatus(status).phrase, **answer} for status in statuses}
        return {**answers, **unchanged}

    def _kept(self) -> dict[str, str]:
        return {"Cache-Control": f"It may be kept {caching.of(self.view).value}.", **ETAG}

    def _content(self, answer: Any) -> Json:
        if answer is None:
            return {"schema": {"type": "string"}}
        return parts.media(self._shape(answer), parts.example(answer))

    def _shape(self, answer: Any) -> Json:
        if isinstance(answer, tuple):
            return {"oneOf": [self._shape(each) for each in answer]}
        if isinstance(answer, serializers.ListSerializer):
            return {"type": "array", "items": self._shape(answer.child)}
        ref: Json = self.resolve_serializer(answer, "response").ref
        return ref

    def _refusals(self) -> Json:
        """By status: the usual one by reference, or what this view has to say of it itself."""
        self.resolve_serializer(shapes.Problem(), "response")
        around = refusals.around(self.view, self.said, in_path="{" in self.path, method=self.method)
        found = {str(problem.status_code): parts.reference(problem.status_code) for problem in around}
        own = sorted(self.said.refuses, key=lambda problem: problem.status_code)
        for status, refused in groupby(own, key=lambda problem: problem.status_code):
            found[str(status)] = parts.own_refusals(status, list(refused))
        return dict(sorted(found.items()))


def once(endpoints: list[Endpoint]) -> list[Endpoint]:
    """Each path without its twin that ends in a slash."""
    return [endpoint for endpoint in endpoints if not endpoint[0].endswith("/")]


def complete(result: Json, **_: Any) -> Json:
    """What the document says once, beside its paths."""
    about = {**result["info"], "description": ABOUT}
    tags = [{"name": tag.value, "description": tag.label} for tag in Tag]
    components = result["components"]
    components["responses"] = {
        refusals.component(p.status_code): parts.refusal(p.status_code, [p], parts.PROBLEM)
        for p in refusals.ALL
    }
    components["securitySchemes"]["metricsToken"] = {
        "type": "http",
        "scheme": "bearer",
        "description": "The operator's `METRICS_TOKEN`.",
    }
    components["headers"] = {
        "RequestId": {
            "description": "What this request is called in the log; as it was sent, if it was well-formed.",
            "schema": {"type": "string"},
        }
    }
    cleaned: Json = parts.cleaned({**result, "info": about, "tags": tags, "components": components})
    return cleaned


@cache
def document() -> bytes:
    """The document as JSON. It is the same for everybody, so it is made once."""
    made = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return json.dumps(made, ensure_ascii=False, separators=(",", ":")).encode()
