"""The OpenAPI document for tests: as it is, and so that it forgives nothing."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import jsonschema

from core.api import openapi

METHODS = ("get", "post", "put", "patch", "delete")
ELSEWHERE = {"watchMovie"}
"""What the event loop answers, before WSGI."""


@cache
def load() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(openapi.document())
    return document


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path and operation of all that there is."""
    for path, item in load()["paths"].items():
        for method in METHODS:
            if method in item:
                yield method, path, item[method]


def names() -> list[str]:
    """The ids of what WSGI answers."""
    return [
        operation["operationId"]
        for _, _, operation in operations()
        if operation["operationId"] not in ELSEWHERE
    ]


def named(name: str) -> tuple[str, str, dict[str, Any]]:
    return next(found for found in operations() if found[2]["operationId"] == name)


@cache
def strict() -> dict[str, Any]:
    """The same, and an answer may hold no member that it does not tell. To clients it promises no such thing:
    they are to put up with new ones."""
    document = copy.deepcopy(load())
    responses = [*document["components"]["responses"].values()]
    responses += [r for _, _, operation in _of(document) for r in operation["responses"].values()]
    for response in responses:
        for media in response.get("content", {}).values():
            if media["schema"].get("type") != "string":
                media["schema"] = (
                    {"allOf": [media["schema"]], "unevaluatedProperties": False}
                    if _is_object(document, media["schema"])
                    else media["schema"]
                )
    for name, schema in document["components"]["schemas"].items():
        if schema.get("properties") and name != "Problem":
            schema["additionalProperties"] = False
    return document


def validator(schema: dict[str, Any]) -> jsonschema.Draft202012Validator:
    """Holds a value to one of the document's schemas, without forgiveness."""
    rooted = {**schema, "components": strict()["components"]}
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    return jsonschema.Draft202012Validator(rooted, format_checker=checker)


def _of(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield method, path, item[method]


def _is_object(document: dict[str, Any], schema: dict[str, Any]) -> bool:
    return "allOf" in schema or schema.get("$ref") == "#/components/schemas/Problem"
