"""A Marquee that has been used for a while, with the very rows that the document's examples speak of."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
import schemathesis
from django.contrib.auth.models import User
from django.core import signals
from django.db import close_old_connections
from django.utils import timezone
from schemathesis.config import GenerationConfig, ProjectConfig, ProjectsConfig, SchemathesisConfig
from schemathesis.specs.openapi.schemas import OpenApiSchema

from core import conf, tokens
from core.api.shapes import Tokens
from ingestion import status
from ingestion.api.shapes import RUN
from ingestion.models import IngestLog, IngestRun, Job
from providers import hours
from streaming.api.shapes import OTHER_VERSION, VERSION
from tests import clients
from tests.contract import document
from tests.ingestion.conftest import world
from tests.ingestion.staged import Staged, stage
from tests.ingestion.world import World

__all__ = ["world"]

CONFIG = SchemathesisConfig(
    projects=ProjectsConfig(
        default=ProjectConfig(generation=GenerationConfig(with_security_parameters=False))  # ours are real
    )
)
FILM = {"title": "Sintel", "imdb_id": "tt1727587", "popularity": 12.5, "genres": ["Animation"]}


class Service(NamedTuple):
    """The application as schemathesis calls it, and one film of it."""

    schema: OpenApiSchema
    film: Staged

    def headers(self, role: str) -> dict[str, str]:
        if role == "anyone":
            return {}
        account = User.objects.filter(username=f"{role}-ada").first() or clients.user(role)
        return {"Authorization": f"Bearer {tokens.begin(account).access}"}

    def operation(self, name: str) -> Any:
        return self.schema.find_operation_by_id(name)

    def example(self, name: str) -> Any:
        """The call that the document shows for an operation."""
        told = self.operation(name)
        shown = [p for p in told.definition.raw.get("parameters", []) if "example" in p]
        body = told.definition.raw.get("requestBody", {}).get("content", {}).get("application/json", {})
        facts = {"body": body["example"], "media_type": "application/json"} if "example" in body else {}
        return told.Case(path_parameters=_of("path", shown), query=_of("query", shown), **facts)


def _of(place: str, parameters: list[dict[str, Any]]) -> dict[str, Any]:
    return {each["name"]: each["example"] for each in parameters if each["in"] == place}


@pytest.fixture
def service(world: World, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    from config.wsgi import application

    monkeypatch.setattr(status, "PING_S", 0.01)
    settings.ALLOWED_HOSTS = ["*"]
    rates = dict.fromkeys(settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"], "100000/min")
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "DEFAULT_THROTTLE_RATES": rates}
    film = lived_in(world)
    there = {
        VERSION: str(film.high),
        OTHER_VERSION: str(film.low),
        Tokens.example["refresh"]: tokens.begin(clients.user("user", "ada")).refresh,
    }
    text = json.dumps(document.strict())
    for shown, real in there.items():
        text = text.replace(shown, real)
    schema = schemathesis.openapi.from_dict(json.loads(text), config=CONFIG)
    schema.app = _here(application)
    with connections_kept():
        yield Service(schema, film)


def _here(wsgi: Any) -> Any:
    """Called from this machine, as a server tells an application."""
    return lambda environ, start: wsgi({**environ, "REMOTE_ADDR": "127.0.0.1"}, start)


@contextmanager
def connections_kept() -> Iterator[None]:
    """As Django's own test client does: what ends a request does not end the test's transaction."""
    ends = (signals.request_started, signals.request_finished)
    for signal in ends:
        signal.disconnect(close_old_connections)
    yield
    for signal in ends:
        signal.connect(close_old_connections)


def lived_in(world: World) -> Staged:
    """A film that was upgraded, a run that works on it and says so, changed settings, counted searches."""
    film = stage(world, 45745, film=FILM)
    world.film(45745, "Sintel")
    world.knows_no_other_film = True
    world.offer(45745, world.rendition("high", "1080p"))
    at = timezone.now()
    run = IngestRun.objects.create(
        id=uuid.UUID(RUN),
        job=Job.MATCH,
        movie_id=45745,
        status=IngestRun.Status.RUNNING,
        queued_at=at - timedelta(minutes=2),
        started_at=at - timedelta(minutes=1),
        progress_done=20,
        progress_total=40,
        trigger="test",
    )
    line = {
        "job": run.job,
        "movie_id": 45745,
        "status": "UPGRADED",
        "message": "720p to 1080p",
        "run_id": run.pk,
    }
    IngestLog.objects.create(at=at, duration_ms=840, metadata={"seq": 2}, **line)
    for value in ("1080p", "2160p", "1080p"):
        conf.change("TARGET_QUALITY", value, by="grace", at=at, comment="Our screens show no more.")
    conf.change("REGISTRATION_OPEN", True, by="grace", at=at)
    hours.count("library", at, answered=3, failed=1, latency_ms=250)
    return film
