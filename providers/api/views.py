"""Providers over HTTP, for staff: how each is doing, what it lacks, and a test. No secret leaves by here."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from core.api.contract import Tag, many, operation
from core.permissions import IsOperator, IsViewer
from core.problems import Problem
from core.routes import LARGEST_ID
from core.serializers import Strict
from core.throttles import Scoped
from providers import hours, readiness, secrets, sessions, testing
from providers.api import shapes
from providers.base import SAMPLE
from providers.models import COUNTERS, Provider
from providers.registry import ADAPTERS
from providers.testing import Report
from providers.types import MovieRef

COUNTED_H = 24
FILM = ("title", "tmdb_id", "imdb_id", "year")


class Film(Strict):
    """A film to test with; the adapter's sample when there is none."""

    title = serializers.CharField(max_length=200)
    tmdb_id = serializers.IntegerField(min_value=1, max_value=LARGEST_ID)
    imdb_id = serializers.RegexField(r"^tt\d{7,10}$", required=False, allow_null=True, default=None)
    year = serializers.IntegerField(
        min_value=1870, max_value=2200, required=False, allow_null=True, default=None
    )


class Trial(Strict):
    example = {"movie": {"title": "Sintel", "tmdb_id": 45745}}

    movie = Film(required=False)


UNKNOWN = Problem(404, "There is no provider 'libary'.", reason="not_found")


class ProviderList(APIView):
    permission_classes = [IsViewer]

    @operation("listProviders", Tag.PROVIDERS, many(shapes.Provider))
    def get(self, request: Request) -> Response:
        """All providers.

        The preferred ones first: how each is doing, what it lacks before it can be asked, its pace.
        """
        at = timezone.now()
        return Response([provider_body(provider, at) for provider in Provider.objects.all()])


class ProviderDetail(APIView):
    permission_classes = [IsViewer]

    @operation("getProvider", Tag.PROVIDERS, shapes.ProviderDetail, refuses=[UNKNOWN])
    def get(self, request: Request, slug: str) -> Response:
        """One provider.

        With what came of its last day.
        """
        at = timezone.now()
        return Response({**provider_body(_require(slug), at), "last_day": last_day(slug, at)})


class ProviderTest(APIView):
    permission_classes = [IsOperator]
    throttle_scope = "provider-test"

    def get_throttles(self) -> list[BaseThrottle]:
        return [Scoped()]

    @operation("testProvider", Tag.PROVIDERS, shapes.TestReport, body=Trial, refuses=[UNKNOWN])
    def post(self, request: Request, slug: str) -> Response:
        """Try a provider out.

        Searches it for a film, enabled or not, and probes the first stream; without a film the adapter's own
        sample. It takes twenty seconds at most and writes nothing. What stops it is an answer as well.
        """
        provider, film = _require(slug), Trial.read(request.data).get("movie")
        sample = ADAPTERS[provider.adapter].sample if provider.adapter in ADAPTERS else SAMPLE
        return Response(report_body(testing.try_out(provider, MovieRef(**film) if film else sample)))


def provider_body(provider: Provider, at: datetime) -> dict[str, Any]:
    """One provider, as the API shows it."""
    adapter = ADAPTERS.get(provider.adapter)
    declared = adapter.config_fields if adapter else ()
    return {
        "slug": provider.slug,
        "label": provider.label,
        "adapter": provider.adapter,
        "enabled": provider.enabled,
        "priority": provider.priority,
        "trust_claims": provider.trust_claims,
        "allowed_hosts": provider.allowed_hosts,
        "licence_note": provider.licence_note,
        "owed": readiness.missing(provider),
        "settings": {
            field.name: provider.config.get(field.name, field.default)
            for field in declared
            if not field.secret
        },
        "secrets": {field.name: _secret(provider, field.name) for field in declared if field.secret},
        "pace": {"rate_limit_rps": provider.rate_limit_rps, **sessions.pace_of(provider.slug)._asdict()},
        "health": health_body(provider, at),
    }


def health_body(provider: Provider, at: datetime) -> dict[str, Any]:
    """How it has been doing."""
    backing_off = provider.backoff_until is not None and provider.backoff_until > at
    return {
        **provider.scores,
        "backs_off_until": provider.backoff_until if backing_off else None,
        "backoff_rung": provider.backoff_rung,
        "blamed_at": provider.blamed_at,
        "blame": provider.blame,
        "last_ok_at": provider.last_ok_at,
        "last_error_at": provider.last_error_at,
        "last_error": provider.last_error,
    }


def last_day(slug: str, at: datetime) -> dict[str, int]:
    """What the hours of the last day counted: searches, probes, and claims that could be checked."""
    counted = hours.last(slug, at, hours=COUNTED_H)
    return {name: sum(getattr(hour, name) for hour in counted) for name in COUNTERS if name != "latency_ms"}


def report_body(report: Report) -> dict[str, Any]:
    """A test, as the API shows it."""
    return {
        "provider": report.provider,
        "works": report.works,
        "movie": {name: getattr(report.movie, name) for name in FILM},
        "took_ms": report.took_ms,
        "steps": [asdict(step) for step in report.steps],
        "found": report.found,
        "candidates": [
            {
                "ref": each.ref,
                "url": each.url,
                "delivery": each.delivery,
                "claimed": each.claimed,
                "languages": each.languages,
                "licence": each.rights.licence,
            }
            for each in report.candidates
        ],
        "probe": asdict(report.probe) if report.probe else None,
    }


def _secret(provider: Provider, name: str) -> dict[str, Any]:
    """Whether there is one, and since when; never what it is."""
    return {
        "set": name in secrets.held(provider),
        "set_at": secrets.set_at(provider.secrets.get(name)),
    }


def _require(slug: str) -> Provider:
    provider = Provider.objects.filter(pk=slug).first()
    if provider is None:
        raise Problem(404, f"There is no provider {slug[:50]!r}.", reason="not_found")
    return provider
