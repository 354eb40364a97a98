"""The stage that is attacked: something of everything, and nobody's requests are counted."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from core import conf
from ingestion import daily, runs, status
from ingestion.models import Job
from providers.models import Provider
from streaming import switching
from streaming.quality import Quality
from tests import clients
from tests.streaming import factory
from tests.streaming.factory import EDITOR, NOW

TOKEN = "token-of-a-provider"
NOTE = "a note among editors"


@pytest.fixture
def unthrottled(settings: Any, valkey: Any) -> None:
    """How often somebody may ask is another matter (`tests/core/test_throttles.py`)."""
    rates = dict.fromkeys(settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"], "1000000/min")
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "DEFAULT_THROTTLE_RATES": rates}


@pytest.fixture
def stage(db: None, unthrottled: None, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What stands for names in paths and bodies; beside it a hidden movie (2) and one that is gone (3)."""
    monkeypatch.setattr(status, "PING_S", 0.01)
    private = {"base_url": "https://films.example", "licence": NOTE}
    factory.provider("private", adapter="catalogue", config=private, licence_note=NOTE)
    movie = factory.movie()
    low = factory.version(movie, "low", Quality.P720)
    for other in (movie, factory.movie(2), factory.movie(3)):
        factory.version(other, "high")
        switching.reconsider(other.pk, at=NOW)
    switching.suppress(low, actor=EDITOR, comment=NOTE, at=NOW)
    switching.edit(2, hidden=True, actor=EDITOR, comment=NOTE, at=NOW)
    switching.withdraw(3, actor=EDITOR, comment=NOTE, at=NOW)
    run, _ = runs.queue(Job.PRUNE, at=NOW, trigger="test", requested_by="somebody-else")
    conf.change("TARGET_QUALITY", "1080p", by="somebody-else", comment=NOTE, at=NOW)
    conf.change("REGISTRATION_OPEN", True, by="somebody-else", at=NOW)
    Provider.objects.create(slug="unfinished", label="Unfinished", adapter="library")
    daily.keep(timezone.now())
    names = {"job": "tmdb.discover", "key": "TARGET_QUALITY", "provider": "unfinished"}
    return {"movie": movie.pk, "run": str(run.pk), "version": str(low), **names}


@pytest.fixture
def everyone(stage: dict[str, Any]) -> Any:
    """Whoever may do everything: what stops their request is the request."""
    return clients.client_of(clients.user("everyone", is_superuser=True, is_staff=True))
