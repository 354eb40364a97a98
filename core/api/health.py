"""Alive, and able to serve: for load balancers and for whoever starts us.

What a process cannot serve without makes it not ready. What only somebody should see to, such as a schedule
that is not kept, is a warning: taking every web process out of rotation would help nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError, InterfaceError, connections
from django.db.migrations.executor import MigrationExecutor
from pymongo.errors import PyMongoError
from redis import Redis, RedisError
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api import shapes
from core.api.contract import Tag, operation
from core.problems import Problem
from core.questions import Question, put

ANSWER_WITHIN_S = 4.0
SILENT = "does not answer"


NOT_READY = Problem(
    503, "Not ready: broker does not answer.", checks={"database": "ok", "broker": "does not answer"}
)


class Healthz(APIView):
    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_classes = []

    @operation("isAlive", Tag.OPERATIONS, shapes.Alive)
    def get(self, request: Request) -> Response:
        """The process answers.

        Nothing else is looked at, nor is it counted.
        """
        return Response({"status": "ok"})


class Readyz(APIView):
    authentication_classes = []
    permission_classes = [AllowAny]

    @operation("isReady", Tag.OPERATIONS, shapes.Ready, refuses=[NOT_READY])
    def get(self, request: Request) -> Response:
        """Databases, migrations and broker are there.

        503 says which of them is missing. `degraded` is ready, and has `warnings` of what is not as it
        should be.
        """
        states = _states({**_QUESTIONS, **_ADVICE})
        advice = {name: states.pop(name) for name in _ADVICE}
        if missing := _amiss(states):
            raise Problem(503, f"Not ready: {', '.join(missing)}.", checks=states)
        if warnings := _amiss(advice):
            return Response({"status": "degraded", "checks": states, "warnings": warnings})
        return Response({"status": "ok", "checks": states})


def warn_of(name: str, ask: Callable[[], str]) -> None:
    """Have `/readyz` ask this as well. Any answer but "ok" is for somebody to see to, and no more."""
    _ADVICE[name] = Question(ask)


def _states(questions: Mapping[str, Question[str]]) -> dict[str, str]:
    """By part, "ok" or what it lacks. Takes ANSWER_WITHIN_S at most."""
    answers = put(questions, within_s=ANSWER_WITHIN_S)
    return {
        name: answer.result() if answer.done() and not answer.exception() else SILENT
        for name, answer in answers.items()
    }


def _amiss(states: Mapping[str, str]) -> list[str]:
    return [f"{name} {state}" for name, state in states.items() if state != "ok"]


def _database(alias: str) -> str:
    connection = connections[alias]
    try:
        executor = MigrationExecutor(connection)
        waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except (DatabaseError, InterfaceError, PyMongoError):
        return SILENT
    return f"waits for {len(waiting)} migrations" if waiting else "ok"


def _broker() -> str:
    try:
        with Redis.from_url(settings.REDIS_URL, **settings.REDIS_LIMITS) as client:
            client.ping()
    except (RedisError, OSError):
        return SILENT
    return "ok"


def _asking_database(alias: str) -> Question[str]:
    return Question(lambda: _database(alias))


_QUESTIONS: dict[str, Question[str]] = {
    **{"database" if alias == DEFAULT_DB_ALIAS else alias: _asking_database(alias) for alias in connections},
    "broker": Question(_broker),
}
_ADVICE: dict[str, Question[str]] = {}
