"""The parts of an OpenAPI document, as plain values: problems, headers, bodies with their examples."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from rest_framework import serializers

from core import problems
from core.api import refusals
from core.correlation import HEADER as REQUEST_ID
from core.problems import Problem

Json = dict[str, Any]

PROBLEM = {"$ref": "#/components/schemas/Problem"}


def reference(status: int) -> Json:
    return {"$ref": f"#/components/responses/{refusals.component(status)}"}


def own_refusals(status: int, refused: list[Problem]) -> Json:
    reasons = [str(problem.members.get("reason", "")) for problem in refused]
    if not all(reasons):
        return refusal(status, refused, PROBLEM)
    narrowed = {"properties": {"reason": {"enum": sorted(set(reasons))}}, "required": ["reason"]}
    return refusal(status, refused, {"allOf": [PROBLEM, {"type": "object", **narrowed}]})


def refusal(status: int, refused: list[Problem], schema: Json) -> Json:
    examples = {
        problem.members.get("reason", refusals.component(status)): {"value": refusals.body_of(problem)}
        for problem in refused
    }
    return {
        "description": HTTPStatus(status).phrase,
        "headers": headers(refusals.HEADERS.get(status, {})),
        "content": {problems.CONTENT_TYPE: {"schema": schema, "examples": examples}},
    }


def headers(told: Any) -> Json:
    types = {refusals.RETRY_AFTER: "integer"}
    shown = {
        name: {"description": what, "schema": {"type": types.get(name, "string")}}
        for name, what in told.items()
    }
    return {**shown, REQUEST_ID: {"$ref": "#/components/headers/RequestId"}}


def media(schema: Json, example: Any) -> Json:
    return {"schema": schema} if example is None else {"schema": schema, "example": example}


def example(answer: Any) -> Any:
    answer = answer[0] if isinstance(answer, tuple) else answer
    return [example(answer.child)] if isinstance(answer, serializers.ListSerializer) else answer.example


def cleaned(node: Any) -> Any:
    """Without drf-spectacular's notes to itself."""
    if isinstance(node, dict):
        return {key: cleaned(value) for key, value in node.items() if key != "x-spec-enum-id"}
    return [cleaned(item) for item in node] if isinstance(node, list) else node
