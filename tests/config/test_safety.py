"""Whoever lets others in does not start unsafe by mistake; whoever lets nobody in needs nothing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from config import safety
from config.deployment import is_deployment
from config.env import BASE_DIR, VARIABLES
from config.supervisor import processes
from core import options
from tests import databases, servers
from tests.folders import temporary

GOOD_KEY = "0f" * 8 + "6b1d7c3e9a2f4058" * 3
OTHER_KEY = GOOD_KEY[::-1]
DEPLOYED = {
    "ALLOWED_HOSTS": "tv.example.org",
    "SITE_ORIGIN": "https://tv.example.org",
    "TRUSTED_PROXIES": "127.0.0.1",
}
SECRETS = re.compile("|".join(map(re.escape, (GOOD_KEY, OTHER_KEY, "changeme", "hunter2"))))


@pytest.mark.parametrize(
    ("hosts", "machines", "deployed"),
    [
        (["localhost", "127.0.0.1", "[::1]"], 1, False),
        (["app.localhost", ".localhost", "127.9.9.9", "LOCALHOST"], 1, False),
        ([], 1, False),
        (["localhost"], 2, True),
        (["tv.example.org"], 1, True),
        (["localhost", ".example.org"], 1, True),
        (["localhost", "*"], 1, True),
        (["192.168.1.5"], 1, True),
        (["[2001:db8::1]"], 1, True),
        (["localhost.example.org"], 1, True),
        (["notlocalhost"], 1, True),
    ],
)
def test_what_answers_to_a_name_that_others_use_is_deployed(
    hosts: list[str], machines: int, deployed: bool
) -> None:
    assert is_deployment(hosts, machines=machines) is deployed


Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    """Runs a command of the product with these variables and no others."""
    with temporary() as folder:

        def ran(command: list[str], **variables: str) -> subprocess.CompletedProcess[str]:
            known = {variable.name for variable in VARIABLES} | options.NAMES.keys()
            env = {name: "" if name in known else value for name, value in os.environ.items()}
            env |= {"DATA_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "config.settings"}
            env |= {"PYTHONPATH": os.pathsep.join([str(BASE_DIR), str(folder)]), **variables}
            return subprocess.run(command, env=env, capture_output=True, text=True, cwd=folder, timeout=100)

        (folder / "house.py").write_text("from config.settings import *\n\nSESSION_COOKIE_SECURE = False\n")
        yield ran


CHECK = [*processes.manage("check"), "--deploy", "--fail-level", "WARNING"]


def blocks() -> list[dict[str, str]]:
    """The configurations that docs/deploying.md shows."""
    page = (BASE_DIR / "docs/deploying.md").read_text()
    found = re.findall(r"^```\n((?:[A-Z_]+=.*\n)+)```$", page, re.MULTILINE)
    return [dict(line.split("=", 1) for line in block.splitlines()) for block in found]


def test_nothing_is_said_of_the_configuration_that_is_shown(run: Run) -> None:
    one, several = blocks()
    assert int(several["HOSTS"]) > 1
    done = run(CHECK, **one)
    assert (done.returncode, done.stderr) == (0, "")
    assert "no issues" in done.stdout


@pytest.mark.servers
def test_nothing_is_said_of_several_machines(run: Run) -> None:
    _, shown = blocks()
    keys = {"SECRET_KEY": GOOD_KEY, "JWT_SIGNING_KEYS": OTHER_KEY}
    keys |= {"PROVIDER_SECRET_KEYS": Fernet.generate_key().decode()}
    assert {name for name, value in shown.items() if value == "…"} == keys.keys()
    with databases.postgresql() as server:
        done = run(CHECK, **{**shown, **keys, "DATABASE_URL": server.url.format(name="postgres")})
    assert (done.returncode, done.stderr) == (0, "")


UNSAFE = [
    ("E012", {"DEBUG": "true"}),
    ("E013", {"ALLOWED_HOSTS": "*"}),
    ("E013", {"ALLOWED_HOSTS": "localhost,*"}),
    ("E014", {"SECRET_KEY": "hunter2"}),
    ("E014", {"SECRET_KEY": "changeme" * 10}),
    ("E014", {"SECRET_KEY": "abcd" * 20}),
    ("E014", {"JWT_SIGNING_KEYS": f"{OTHER_KEY}, {'changeme' * 10}"}),
    ("E014", {"METRICS_TOKEN": "hunter2"}),
    ("E015", {"SECRET_KEY": GOOD_KEY, "JWT_SIGNING_KEYS": f"{OTHER_KEY},{GOOD_KEY}"}),
    ("E015", {"SECRET_KEY": GOOD_KEY, "METRICS_TOKEN": GOOD_KEY}),
    ("E016", {"DJANGO_SETTINGS_MODULE": "house"}),
    ("E017", {"CORS_ALLOWED_ORIGINS": "*"}),
    ("E017", {"CORS_ALLOWED_ORIGINS": "https://app.example.org,https://*.example.org"}),
    ("E018", {"TRUSTED_PROXIES": "0.0.0.0/0"}),
    ("E018", {"TRUSTED_PROXIES": "10.0.0.1,::/0"}),
    ("E018", {"TRUSTED_PROXIES": "*"}),
    ("E019", {"TRUSTED_PROXIES": ""}),
    ("E020", {"SITE_ORIGIN": "http://tv.example.org"}),
    ("E020", {"CORS_ALLOWED_ORIGINS": "http://app.example.org"}),
    ("E020", {"CSRF_TRUSTED_ORIGINS": "http://tv.example.org"}),
    ("E001", {"HOSTS": "2"}),
    ("E011", {"JWT_SIGNING_KEYS": "hunter2"}),
]


@pytest.mark.parametrize(("number", "change"), UNSAFE)
def test_what_is_unsafe_is_named_with_what_to_do_and_shows_no_key(
    run: Run, number: str, change: dict[str, str]
) -> None:
    done = run(CHECK, **{**DEPLOYED, **change})
    assert done.returncode == 1
    [found] = re.findall(rf"\(marquee\.{number}\).*\n\tHINT: (.*)", done.stderr)
    assert len(found) > 10
    assert not SECRETS.search(done.stdout + done.stderr)


ASGI = [sys.executable, "-c", "import config.asgi"]


@pytest.mark.parametrize(
    "command", [ASGI, processes.worker(), processes.beat(), processes.manage("setup")], ids=str
)
def test_nothing_starts_unsafe(run: Run, command: list[str]) -> None:
    unreachable = {"REDIS_URL": "redis://127.0.0.1:1"}
    done = run(command, **DEPLOYED, **unreachable, CORS_ALLOWED_ORIGINS="*", METRICS_TOKEN="hunter2")
    assert done.returncode != 0
    assert {"(marquee.E017)", "(marquee.E014)"} <= set(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert not SECRETS.search(done.stdout + done.stderr)


def test_a_web_process_starts_with_what_is_safe_and_without_its_servers(run: Run) -> None:
    away = {
        "REDIS_URL": "redis://127.0.0.1:1",
        "DATABASE_URL": f"postgresql://127.0.0.1:{servers.free_port()}/x",
    }
    assert run(ASGI, **DEPLOYED, **away).returncode == 0


def test_nobody_trusted_is_only_a_warning_where_nothing_is_redirected(run: Run) -> None:
    done = run(CHECK, **DEPLOYED | {"TRUSTED_PROXIES": "", "HTTPS_REDIRECT": "false"})
    assert "marquee.W002" in done.stderr
    assert "marquee.E" not in done.stderr


def test_where_nobody_is_let_in_nothing_is_asked(run: Run) -> None:
    loose = {"DEBUG": "true", "SECRET_KEY": "hunter2", "SITE_ORIGIN": "http://localhost:8000"}
    done = run(processes.manage("check"), **loose)
    assert (done.returncode, done.stderr) == (0, "")
    assert run(ASGI, **loose).returncode == 0


SHOW = """
import django; django.setup()
from django.conf import settings as s
print(s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME, s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE,
      s.SECURE_SSL_REDIRECT, s.SECURE_HSTS_SECONDS)
"""


def test_what_is_deployed_keeps_to_https_by_itself(run: Run) -> None:
    command = [sys.executable, "-c", SHOW]
    assert run(command).stdout.split() == ["sessionid", "csrftoken", "False", "False", "False", "0"]
    deployed = run(command, **DEPLOYED).stdout.split()
    assert deployed == ["__Host-sessionid", "__Host-csrftoken", "True", "True", "True", "31536000"]
    chosen = run(command, **DEPLOYED, HTTPS_REDIRECT="false", HSTS_SECONDS="0").stdout.split()
    assert chosen[2:] == ["True", "True", "False", "0"]


@pytest.mark.parametrize(
    ("origin", "is_one"),
    [
        ("https://app.example.org", True),
        ("https://app.example.org:8443", True),
        ("http://localhost:5173", True),
        ("http://[::1]:5173", True),
        ("https://xn--bcher-kva.example", True),
        ("https://bücher.example", False),
        ("https://app.example.org/", False),
        ("https://app.example.org:443", False),
        ("https://App.example.org", False),
        ("https://user@app.example.org", False),
        ("https://*.example.org", False),
        ("app.example.org", False),
        ("ftp://app.example.org", False),
        ("null", False),
        ("*", False),
        ("https://", False),
    ],
)
def test_an_origin_is_what_a_browser_sends(origin: str, is_one: bool) -> None:
    assert safety._is_origin(origin) is is_one


def test_every_check_is_on_its_page_and_no_other() -> None:
    rooms = (
        path
        for room in ("config", "core", "providers", "streaming", "ingestion")
        for path in Path(BASE_DIR, room).rglob("*.py")
    )
    raised = {number for path in rooms for number in re.findall(r"marquee\.([EW]\d{3})", path.read_text())}
    rows = re.findall(r"^\| `marquee\.([EW]\d{3})` \|", (BASE_DIR / "docs/checks.md").read_text(), re.M)
    assert rows == sorted(rows)
    assert set(rows) == raised
    assert len(rows) == len(raised)
