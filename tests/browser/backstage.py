"""A process inside the product, for tests: it runs the code that comes in, a line of JSON for each piece.

{"code": "result = 1 + x", "values": {"x": 2}}  ->  {"result": 3}  or  {"error": "Traceback …"}
"""

import json
import sys
import traceback
from typing import Any

import django


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
