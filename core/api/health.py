"""Alive, and able to serve: for load balancers and for whoever starts us."""

from __future__ import annotations

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from redis import Redis, RedisError


def healthz(request: HttpRequest) -> JsonResponse:
    """The process answers. Nothing else is looked at."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> JsonResponse:
    """Database, migrations and broker; 503 says which of them is missing."""
    checks = {"database": _database(), "broker": _broker()}
    ready = all(state == "ok" for state in checks.values())
    body = {"status": "ok" if ready else "unavailable", "checks": checks}
    return JsonResponse(body, status=200 if ready else 503)


def _database() -> str:
    try:
        executor = MigrationExecutor(connection)
        waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return "does not answer"
    return f"{len(waiting)} migrations are not applied" if waiting else "ok"


def _broker() -> str:
    try:
        with Redis.from_url(settings.REDIS_URL, **settings.REDIS_LIMITS) as client:
            client.ping()
    except (RedisError, OSError):
        return "does not answer"
    return "ok"
