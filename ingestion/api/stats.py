"""Figures over HTTP: how catalogue, jobs, providers and databases have been doing, day by day."""

from __future__ import annotations

from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.permissions import IsViewer
from core.serializers import Strict
from ingestion import daily, stats


class Span(Strict):
    """`?days=30`: today and the 29 days (UTC) before it."""

    days = serializers.IntegerField(default=7, min_value=1, max_value=daily.DAYS)


class Stats(APIView):
    """GET the figures of the last `days`, what they come to, and how things stand now."""

    permission_classes = [IsViewer]

    def get(self, request: Request) -> Response:
        return Response(stats.answer(timezone.now(), **Span.read(request.query_params)))
