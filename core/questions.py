"""Questions to servers that may hang: each has a thread of its own, so that one hides none of the others."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Generic, TypeVar

from django.db import connections

Answer = TypeVar("Answer")


class Question(Generic[Answer]):
    """It is asked once at a time: whoever comes meanwhile waits for the same answer, and whoever comes within
    `fresh_s` after it is given that one again; a failure is not kept. Each time it connects to the databases
    anew, as a process that begins would."""

    def __init__(self, ask: Callable[[], Answer], *, fresh_s: float = 0.0) -> None:
        self._ask, self._fresh_s, self._fresh_until = ask, fresh_s, 0.0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="question")
        self._answer: Future[Answer] | None = None

    def put(self) -> Future[Answer]:
        answer = self._answer
        if answer is None or (answer.done() and time.monotonic() >= self._fresh_until):
            self._answer = answer = self._thread.submit(self._asked)
        return answer

    def _asked(self) -> Answer:
        try:
            answer = self._ask()
            self._fresh_until = time.monotonic() + self._fresh_s
            return answer
        finally:
            # Forgotten as well as closed: MongoDB's, when closed, holds on to what it once connected to.
            for connection in connections.all(initialized_only=True):
                connection.close()
                del connections[connection.alias]


def put(questions: Mapping[str, Question[Answer]], *, within_s: float) -> dict[str, Future[Answer]]:
    """Ask all of them. Returns within so many seconds; what is not `done()` by then is still waited for."""
    answers = {name: question.put() for name, question in questions.items()}
    wait(answers.values(), within_s)
    return answers
