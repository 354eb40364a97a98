"""Alive, and able to serve: for load balancers and for whoever starts us."""

from __future__ import annotations

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor
from redis import Redis, RedisError
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.problems import Problem


class Healthz(APIView):
    """GET: the process answers. Nothing else is looked at, nor is it counted."""

    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_classes = []

    def get(self, request: Request) -> Response:
        return Response({"status": "ok"})


class Readyz(APIView):
    """GET: database, migrations and broker are there; 503 says which of them is missing."""

    authentication_classes = []
    permission_classes = [AllowAny]

    def get(self, request: Request) -> Response:
        checks = {"database": _database(), "broker": _broker()}
        missing = [f"{name} {state}" for name, state in checks.items() if state != "ok"]
        if missing:
            raise Problem(503, f"Not ready: {', '.join(missing)}.", checks=checks)
        return Response({"status": "ok", "checks": checks})


def _database() -> str:
    try:
        executor = MigrationExecutor(connection)
        waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except (DatabaseError, InterfaceError):
        return "does not answer"
    return f"waits for {len(waiting)} migrations" if waiting else "ok"


def _broker() -> str:
    try:
        with Redis.from_url(settings.REDIS_URL, **settings.REDIS_LIMITS) as client:
            client.ping()
    except (RedisError, OSError):
        return "does not answer"
    return "ok"
