"""`make test`: pytest on the layouts of the databases, one after the other, each with servers of its own.

`python -m tests postgres -k policy` runs the whole suite on that one, with these arguments. Without the name
of a layout: all of it on SQLite, and on the others what touches rows.
"""

from __future__ import annotations

import sys

import pytest

from tests import databases

GO_ON = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)


def main(words: list[str]) -> int:
    """Run the suite. The exit code is pytest's, the first that is not 0 if there are several."""
    name, arguments = words[0] if words else "", words[1:]
    if name and name not in databases.SERVERS:
        allowed = ", ".join(databases.SERVERS)
        print(f"DB is one of {allowed}, or empty for all of them; {name!r} is not.", file=sys.stderr)  # noqa: T201
        return pytest.ExitCode.USAGE_ERROR
    result = 0
    for layout in [name] if name else databases.SERVERS:
        part = not name and layout != "sqlite"
        print(f"On {layout}{', what touches rows' if part else ''}", flush=True)  # noqa: T201
        code = _pytest(layout, *(["--only-rows"] if part else []), *arguments)
        if part and code == pytest.ExitCode.NO_TESTS_COLLECTED:
            continue  # what was asked for touches no rows
        result = result or code
        if code not in GO_ON:
            break
    return result


def _pytest(layout: str, *arguments: str) -> int:
    return databases.run(layout, [sys.executable, "-m", "pytest", *arguments])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
