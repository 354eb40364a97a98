"""Figures over HTTP: how catalogue, jobs, providers and databases have been doing, day by day."""

from __future__ import annotations

from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.contract import Tag, operation
from core.permissions import IsViewer
from core.serializers import Strict
from ingestion import daily, stats
from ingestion.api.stats_shapes import Stats as Shape


class Span(Strict):
    """`?days=30`: today and the 29 days (UTC) before it."""

    days = serializers.IntegerField(
        default=7, min_value=1, max_value=daily.DAYS, help_text="Today, in UTC, and those before it."
    )


class Stats(APIView):
    permission_classes = [IsViewer]

    @operation("getStats", Tag.OPERATIONS, Shape, query=Span)
    def get(self, request: Request) -> Response:
        """The last days in figures.

        What they come to together, and how things stand now: catalogue, jobs, switches, providers, databases.
        What nobody counted is null.
        """
        return Response(stats.answer(timezone.now(), **Span.read(request.query_params)))
