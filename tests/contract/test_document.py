"""The OpenAPI document: complete, valid, as committed, and true of its own examples."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from tests.contract import document
from tests.test_api_roles import rows

ROOT = Path(__file__).parents[2]
BESIDE_DJANGO = {("GET", "/api/movies/{}/stream-events"), ("GET", "/metrics")}


def test_making_it_gives_no_warning_and_it_is_valid() -> None:
    made = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    assert not GENERATOR_STATS, GENERATOR_STATS.emit_summary()
    validate_schema(made)


def test_it_is_as_committed() -> None:
    committed = json.loads((ROOT / "docs" / "openapi.json").read_text())
    assert committed == document.load(), "the contract changed; if that is meant: make openapi"


def test_it_tells_every_path_and_method_once() -> None:
    told = [(method.upper(), _shape(path)) for method, path, _ in document.operations()]
    assert sorted(told) == sorted(
        {(method, _shape(f"/{path}")) for method, path, _ in rows()} | BESIDE_DJANGO
    )


def test_every_operation_has_a_name_of_its_own_a_summary_a_description_and_a_tag() -> None:
    known = {tag["name"] for tag in document.load()["tags"]}
    names = [operation["operationId"] for _, _, operation in document.operations()]
    assert len(names) == len(set(names))
    for _, path, operation in document.operations():
        assert operation["summary"], path
        assert operation["description"].count("\n\n") >= 1, f"{path} says nothing but who may use it"
        assert set(operation["tags"]) < known | {""}, path


def test_every_parameter_says_what_it_is_and_every_bound_of_a_number() -> None:
    for _, path, operation in document.operations():
        for parameter in operation.get("parameters", []):
            assert parameter.get("description"), (path, parameter["name"])
            if parameter["schema"].get("type") == "integer":
                assert {"minimum", "maximum"} <= parameter["schema"].keys(), (path, parameter["name"])


def test_every_body_has_an_example() -> None:
    for where, media in bodies():
        if media["schema"].get("type") != "string":
            assert "example" in media or "examples" in media, where


def test_every_example_is_what_its_schema_tells() -> None:
    for where, media in bodies():
        shown = [media["example"]] if "example" in media else []
        shown += [each["value"] for each in media.get("examples", {}).values()]
        for example in shown:
            errors = [error.message for error in document.validator(media["schema"]).iter_errors(example)]
            assert errors == [], where


def test_who_is_to_wait_or_to_sign_in_is_told_how() -> None:
    wanted = {"401": "WWW-Authenticate", "429": "Retry-After", "503": "Retry-After"}
    for where, status, response in responses():
        if status in wanted:
            assert wanted[status] in response["headers"], where


def test_its_version_is_that_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert document.load()["info"]["version"] == project["version"]


def responses() -> Iterator[tuple[str, str, dict[str, Any]]]:
    shared = document.load()["components"]["responses"]
    for method, path, operation in document.operations():
        for status, response in operation["responses"].items():
            found = shared[response["$ref"].rpartition("/")[2]] if "$ref" in response else response
            yield f"{method} {path} {status}", status, found


def bodies() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every body that is sent or answered, by where it is told."""
    for method, path, operation in document.operations():
        for media in operation.get("requestBody", {}).get("content", {}).values():
            yield f"{method} {path}", media
    for where, _, response in responses():
        for media in response.get("content", {}).values():
            yield where, media


def _shape(path: str) -> str:
    """A path whatever its places are called."""
    return "/".join("{}" if part.startswith("{") else part for part in path.split("/"))
