"""The TypeScript client: generated from the committed document, compiled with what the docs show of it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CLIENT = ROOT / "clients" / "typescript"
SHOWN = re.compile(r"^```typescript\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def programs() -> Path:
    """Where npm put them. Skips where there is no node, or where its packages were not installed."""
    if shutil.which("node") is None:
        pytest.skip("node is not on this machine")
    found = CLIENT / "node_modules" / ".bin"
    if not (found / "tsc").exists():
        pytest.skip("the client's packages are not installed: npm ci --prefix clients/typescript")
    return found


def run(*command: str | Path) -> None:
    done = subprocess.run(command, cwd=CLIENT, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_its_types_are_those_of_the_document(programs: Path, tmp_path: Path) -> None:
    made = tmp_path / "schema.d.ts"
    run(programs / "openapi-typescript", ROOT / "docs" / "openapi.json", "--output", made)
    assert made.read_text() == (CLIENT / "src" / "schema.d.ts").read_text(), "renew it: make openapi"


def test_it_compiles_with_the_ten_lines_that_the_docs_show(programs: Path) -> None:
    (shown,) = SHOWN.findall((ROOT / "docs" / "api.md").read_text())
    compile_with(programs, shown)


def test_a_path_a_parameter_or_a_reason_that_is_not_there_does_not_compile(programs: Path) -> None:
    (shown,) = SHOWN.findall((ROOT / "docs" / "api.md").read_text())
    for right, wrong in [("/active-stream", "/active"), ("q: ", "query: "), ("stream.url", "stream.uri")]:
        with pytest.raises(AssertionError, match="error TS"):
            compile_with(programs, shown.replace(right, wrong))


def test_the_lock_names_no_host_of_a_registry() -> None:
    assert '"resolved"' not in (CLIENT / "package-lock.json").read_text()


def compile_with(programs: Path, code: str) -> None:
    """The client and a page of code beside it, strictly."""
    page = CLIENT / "node_modules" / f".shown-{os.getpid()}.ts"
    page.write_text(code.replace("../clients/typescript/src", "../src/index"))
    try:
        run(
            programs / "tsc",
            "--strict",
            "--noEmit",
            "--skipLibCheck",
            "--target",
            "ES2022",
            "--module",
            "ESNext",
            "--moduleResolution",
            "Bundler",
            "src/index.ts",
            page,
        )
    finally:
        page.unlink()
