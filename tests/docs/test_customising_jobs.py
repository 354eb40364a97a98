"""docs/customising-jobs.md, done as it says: real processes know the job, run it and show it."""

from __future__ import annotations

import csv
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.env import BASE_DIR
from tests.docs import test_api_examples as api
from tests.faults.stack import LIMITS, Marquee, running

TEXT = (BASE_DIR / "docs/customising-jobs.md").read_text()
SOURCE, TEST = re.findall(r"^```python\n(.*?)^```$", TEXT, re.M | re.S)
(VARIABLE,) = re.findall(r"^```sh\n(.*?)^```$", TEXT, re.M | re.S)
CONSOLE = re.findall(r"^```console\n\$ (.*?)\n(.*?)^```$", TEXT, re.M | re.S)
CURLS = [(command, said) for command, said in CONSOLE if command.startswith("curl")]

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300)]

SEED = """
from datetime import UTC, datetime
from django.contrib.auth.models import Group
from core import tokens
facts = {"title": "Sintel", "release_date": "2010-09-27", "popularity": 12.5}
Movie.objects.create(id=45745, discovered_at=datetime(2020, 6, 1, tzinfo=UTC), **facts)
Movie.objects.create(id=7, title="The General", discovered_at=timezone.now())
operator = User.objects.create_user("olga", is_staff=True)
operator.groups.add(Group.objects.get(name="operator"))
result = tokens.begin(operator).access
"""
ENDED = "result = list(IngestRun.objects.filter(job=job).order_by('id').values_list('status', flat=True))"
PAGE = """
from django.test import Client
browser = Client(SERVER_NAME="localhost")
browser.force_login(User.objects.get(username="olga"))
answer = browser.get(path)
assert answer.status_code == 200, answer.content
result = answer.content.decode()
"""
ENABLED = """
from django_celery_beat.models import PeriodicTask
result = PeriodicTask.objects.get(name=job).enabled
"""
SWITCH_OFF = f"{ENABLED}\nPeriodicTask.objects.filter(name=job).update(enabled=False)"
RUN_HERE = """
import os
os.environ["HOUSE_EXPORT"] = folder
run, _ = runs.queue("house.export", at=timezone.now(), trigger="test", publish=False)
run = jobs.execute(run.pk)
waiting = IngestRun.objects.filter(job="house.export", status="queued", trigger="retry")
result = [run.status, run.error, run.traceback, waiting.count()]
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the file of the page and its test, and one to export to."""
    folder = tmp_path_factory.mktemp("house")
    (folder / "house").mkdir()
    (folder / "export").mkdir()
    (folder / "house" / "jobs.py").write_text(SOURCE)
    (folder / "house" / "test_jobs.py").write_text(TEST)
    return folder


@pytest.fixture(scope="module")
def variables(house: Path) -> dict[str, str]:
    name, _, value = VARIABLE.strip().partition("=")
    path = os.pathsep.join([str(BASE_DIR), str(house)])
    return {name: value, "PYTHONPATH": path, "HOUSE_EXPORT": str(house / "export")}


@pytest.fixture(scope="module")
def marquee(variables: dict[str, str]) -> Iterator[tuple[Marquee, dict[str, str]]]:
    """Web, worker and beat; a film that has had no stream for years, and one that is new."""
    with running("sqlite", {**LIMITS, **variables}) as it:
        yield it, {"OPERATOR": it.run(SEED)}


def done(marquee: Marquee, job: str) -> None:
    """Wait until a worker has done it."""
    marquee.until(lambda: marquee.run(ENDED, job=job) == ["succeeded"], f"{job} done")


def test_every_example_answers_as_the_page_says(marquee: tuple[Marquee, dict[str, str]]) -> None:
    it, known = marquee
    for command, expected in CURLS:
        said = api.run(command, known, it.port, lines=expected.count("\n"))
        api.check(command, expected, *said)
        done(it, "house.gaps")
    assert len(CURLS) == 3


def test_a_job_without_a_cron_runs_when_asked(marquee: tuple[Marquee, dict[str, str]], house: Path) -> None:
    it, known = marquee
    film = it.new_film()
    asked = CURLS[0][0].replace("house.gaps", "house.export")
    status, _, body = api.run(asked, known, it.port, lines=1)
    assert status.startswith("HTTP/1.1 202"), body
    done(it, "house.export")
    with (house / "export" / "catalogue.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [["id", "title", "quality"], [str(film), f"Film {film}", "720p"]]
    assert [path.name for path in (house / "export").iterdir()] == ["catalogue.csv"]


def test_what_was_to_be_expected_is_a_sentence_and_tried_again(
    marquee: tuple[Marquee, dict[str, str]],
) -> None:
    said = marquee[0].run(RUN_HERE, folder="/nowhere/at/all")
    assert said == ["failed", "There is no folder /nowhere/at/all: is it mounted?", "", 1]


def test_it_shows_in_the_admin(marquee: tuple[Marquee, dict[str, str]]) -> None:
    it, _ = marquee
    assert "?job=house.gaps" in it.run(PAGE, path="/admin/")
    for lists in ("ingestrun", "ingestlog"):
        page = it.run(PAGE, path=f"/admin/ingestion/{lists}/")
        assert "?job=house.gaps" in page
        assert "?job=house.export" in page
    assert "has found no stream since" in it.run(PAGE, path="/admin/ingestion/ingestlog/?job=house.gaps")
    schedule = it.run(PAGE, path="/admin/django_celery_beat/periodictask/")
    assert "Names the most popular films that found no stream within a month." in schedule
    assert "house.export" not in schedule


def test_what_is_switched_off_in_the_schedule_stays_so(marquee: tuple[Marquee, dict[str, str]]) -> None:
    it, known = marquee
    assert it.run(ENABLED, job="house.gaps")
    it.run(SWITCH_OFF, job="house.gaps")
    asked = CURLS[0][0].replace("run/house.gaps", "initialize")
    status, _, body = api.run(asked, known, it.port, lines=1)
    assert status.startswith("HTTP/1.1 200"), body
    assert '"house.gaps":"30 5 * * *"' in body.replace(" :", ":").replace(": ", ":")
    assert not it.run(ENABLED, job="house.gaps")


def test_a_module_that_is_not_there_is_told_as_the_page_says(variables: dict[str, str]) -> None:
    (command, expected), *others = [(c, said) for c, said in CONSOLE if not c.startswith("curl")]
    assert others == []
    variable, _, *rest = shlex.split(command)
    name, _, value = variable.partition("=")
    env = {**os.environ, **variables, "DJANGO_SETTINGS_MODULE": "config.settings", name: value}
    code, told = told_by([sys.executable, *rest], env)
    assert code != 0
    assert expected in told


def test_the_jobs_own_test_holds(house: Path, variables: dict[str, str]) -> None:
    """As `pytest house` next to manage.py, on the embedded database."""
    env = {**os.environ, **variables, "TEST_DATABASE_URL": "", "TEST_MONGODB_URI": ""}
    options = ("-q", "-p", "no:cacheprovider", "-c", str(BASE_DIR / "pyproject.toml"))
    command = [sys.executable, "-m", "pytest", *options, f"--rootdir={house}", str(house / "house")]
    code, told = told_by(command, env)
    assert code == 0, told
    assert "1 passed" in told


def told_by(command: list[str], env: dict[str, str]) -> tuple[int, str]:
    done = subprocess.run(
        command, cwd=BASE_DIR, env=env, capture_output=True, text=True, timeout=120, check=False
    )
    return done.returncode, done.stdout + done.stderr
