"""A process inside the product, for tests: it runs the code that comes in, a line of JSON for each piece.

{"code": "result = 1 + x", "values": {"x": 2}}  ->  {"result": 3}  or  {"error": "Traceback …"}
"""

from __future__ import annotations

import json
import subprocess
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django

ROOT = Path(__file__).resolve().parents[2]


class Backstage:
    """Talks to such a process, which has the product's own settings."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, code: str, **values: Any) -> Any:
        """Run `code` with `values` as variables; what it left in `result`, as JSON has it."""
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps({"code": code, "values": values}) + "\n")
        process.stdin.flush()
        answer = json.loads(process.stdout.readline() or '{"error": "backstage is gone"}')
        assert "error" not in answer, answer["error"]
        return answer["result"]


@contextmanager
def running(env: Mapping[str, str]) -> Iterator[Backstage]:
    command = [sys.executable, "-W", "ignore", "-m", "tests.browser.backstage"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=dict(env), cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as process:
        yield Backstage(process)
        assert process.stdin is not None
        process.stdin.close()


def answer(line: str) -> dict[str, Any]:
    asked = json.loads(line)
    names: dict[str, Any] = {**asked["values"], "result": None}
    try:
        exec(asked["code"], names)
    except Exception:
        return {"error": traceback.format_exc()}
    return {"result": names["result"]}


if __name__ == "__main__":
    django.setup()
    out, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        out.write(json.dumps(answer(line), default=str) + "\n")
        out.flush()
