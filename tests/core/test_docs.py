"""The contract over HTTP: the document, and the page that shows it."""

from __future__ import annotations

import json

import pytest

from core.api import openapi
from tests import clients

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]


def test_the_document_is_open_api_of_the_code_that_answers() -> None:
    response = clients.client().get("/api/schema/")
    assert response["Content-Type"] == "application/json"
    assert response.json() == json.loads(openapi.document())
    assert response.json()["openapi"].startswith("3.1")


def test_a_path_is_told_once_though_it_works_with_and_without_its_slash() -> None:
    paths = json.loads(openapi.document())["paths"]
    assert "/api/schema" in paths
    assert [path for path in paths if path.endswith("/")] == []


def test_the_page_is_told_where_the_document_is_and_brings_no_script_of_its_own() -> None:
    page = clients.client().get("/api/docs/", HTTP_ACCEPT="text/html")
    assert page.status_code == 200
    assert 'data-document="/api/schema"' in page.content.decode()
    assert "<script>" not in page.content.decode()
    assert "unsafe" not in page["Content-Security-Policy"]
