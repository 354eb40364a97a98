"""Alive, and able to serve: for load balancers and for whoever starts us.

Each part is asked in a thread of its own, so that one that hangs hides none of the others.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError, InterfaceError, connections
from django.db.migrations.executor import MigrationExecutor
from pymongo.errors import PyMongoError
from redis import Redis, RedisError
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.problems import Problem

ANSWER_WITHIN_S = 4.0
SILENT = "does not answer"


class Healthz(APIView):
    """GET: the process answers. Nothing else is looked at, nor is it counted."""

    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_classes = []

    def get(self, request: Request) -> Response:
        return Response({"status": "ok"})


class Readyz(APIView):
    """GET: databases, migrations and broker are there; 503 says which of them is missing."""

    authentication_classes = []
    permission_classes = [AllowAny]

    def get(self, request: Request) -> Response:
        checks = _states()
        missing = [f"{name} {state}" for name, state in checks.items() if state != "ok"]
        if missing:
            raise Problem(503, f"Not ready: {', '.join(missing)}.", checks=checks)
        return Response({"status": "ok", "checks": checks})


class _Question:
    """One that may hang. It is asked once at a time: whoever comes meanwhile waits for the same answer."""

    def __init__(self, ask: Callable[[], str]) -> None:
        self._ask = ask
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ready")
        self._answer: Future[str] | None = None

    def put(self) -> Future[str]:
        answer = self._answer
        if answer is None or answer.done():
            self._answer = answer = self._thread.submit(self._ask)
        return answer


def _states() -> dict[str, str]:
    """By part, "ok" or what it lacks. Takes ANSWER_WITHIN_S at most."""
    answers = {name: question.put() for name, question in _QUESTIONS.items()}
    wait(answers.values(), ANSWER_WITHIN_S)
    return {name: answer.result() if answer.done() else SILENT for name, answer in answers.items()}


def _database(alias: str) -> str:
    connection = connections[alias]
    try:
        executor = MigrationExecutor(connection)
        waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except (DatabaseError, InterfaceError, PyMongoError):
        return SILENT
    finally:
        connection.close()
    return f"waits for {len(waiting)} migrations" if waiting else "ok"


def _broker() -> str:
    try:
        with Redis.from_url(settings.REDIS_URL, **settings.REDIS_LIMITS) as client:
            client.ping()
    except (RedisError, OSError):
        return SILENT
    return "ok"


def _asking_database(alias: str) -> _Question:
    return _Question(lambda: _database(alias))


_QUESTIONS = {
    **{"database" if alias == DEFAULT_DB_ALIAS else alias: _asking_database(alias) for alias in connections},
    "broker": _Question(_broker),
}
