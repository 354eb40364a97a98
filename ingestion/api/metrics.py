"""Metrics over HTTP: for whoever knows METRICS_TOKEN, and without one for this machine alone.

Outside DRF: a scrape has no account, and is not throttled, or a graph would have holes when it matters.
"""

from __future__ import annotations

import ipaddress
from hmac import compare_digest
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views import View
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from rest_framework.request import Request

from core import problems
from core.api import refusals
from core.api.contract import Outside, Tag, operation
from core.problems import Problem
from ingestion import metrics

PATH = "/metrics"
NO_TOKEN = "METRICS_TOKEN is not set, so metrics are read on this machine alone."
WRONG_TOKEN = "Metrics want the bearer token that METRICS_TOKEN names."
SPEAKS_FOR_ANOTHER = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP")


class MetricsDeclared(Outside):
    security = [{"metricsToken": []}, {}]

    @operation(
        "getMetrics",
        Tag.OPERATIONS,
        None,
        media_type=CONTENT_TYPE_PLAIN_0_0_4,
        headers={"Cache-Control": "`no-store`."},
        refuses=[Problem(401, WRONG_TOKEN), Problem(403, NO_TOKEN), refusals.BUG, refusals.AWAY],
    )
    def get(self, request: Request) -> HttpResponse:
        """Everything that Prometheus reads.

        For who knows `METRICS_TOKEN`; without one for the machine that Marquee runs on alone.
        """
        raise NotImplementedError(PATH)


def declare(endpoints: list[Any]) -> list[Any]:
    """A hook of drf-spectacular's: the document tells this path as well."""
    return [*endpoints, MetricsDeclared.at(PATH, PATH)]


class Metrics(View):
    """GET: everything that Prometheus reads."""

    http_method_names = ["get", "head"]
    throttle_classes: list[Any] = []

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if settings.METRICS_TOKEN and not _knows_token(request):
            refused = problems.json_response(401, WRONG_TOKEN)
            refused["WWW-Authenticate"] = 'Bearer realm="metrics"'
            return refused
        if not settings.METRICS_TOKEN and not _is_here(request):
            return problems.json_response(403, NO_TOKEN)
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest) -> HttpResponse:
        headers = {"Cache-Control": "no-store"}
        return HttpResponse(metrics.text(), content_type=CONTENT_TYPE_PLAIN_0_0_4, headers=headers)

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        allowed = ", ".join(self.http_method_names).upper()
        refused = problems.json_response(405, f"Use {allowed}.")
        refused["Allow"] = allowed
        return refused


def _knows_token(request: HttpRequest) -> bool:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    given, wanted = token.strip().encode(), settings.METRICS_TOKEN.encode()
    return scheme.lower() == "bearer" and compare_digest(given, wanted)


def _is_here(request: HttpRequest) -> bool:
    """A proxy on this machine is here as well, but speaks for somebody else."""
    if any(header in request.META for header in SPEAKS_FOR_ANOTHER):
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:  # the peer of a unix socket has none
        return False
