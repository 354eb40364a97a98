"""`manage.py setup` as starting containers run it: several at once, killed half way, again, and in vain."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from core import databases, setup_lock
from core.roles import Role
from tests.ingestion import killed_setup
from tests.ingestion.places import Place, place

pytestmark = [pytest.mark.rows, pytest.mark.servers, pytest.mark.timeout(600)]
SETUP = ("manage.py", "setup")
FILLED = {"TMDB_API_KEY": "key", "LIBRARY_URL": "https://films.example/library"}


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Place]:
    with place(tmp_path / "data") as made:
        made.environment |= FILLED
        yield made


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Place, str]]:
    """A place that was set up by one process, left alone, and what that said."""
    with place(tmp_path_factory.mktemp("once")) as made:
        made.environment |= FILLED
        code, said = made.run(*SETUP)
        assert code == 0, said
        yield made, said


def assert_alike(one: Place, other: Place) -> None:
    assert one.shape() == other.shape()
    assert one.static() == other.static()


def test_it_says_of_each_database_where_it_is_and_what_was_done(once: tuple[Place, str]) -> None:
    made, said = once
    lines = [line for line in said.splitlines() if "migrations in" in line]
    assert len(lines) == len(made.shape())
    assert not re.search(r"://|@|Traceback", "".join(lines))


def test_twice_is_the_same_as_once(once: tuple[Place, str]) -> None:
    made, _ = once
    before, files = made.shape(), made.static()
    code, said = made.run(*SETUP)
    assert (code, said.count(": up to date")) == (0, len(before))
    assert (made.shape(), made.static()) == (before, files)


def test_four_at_once_are_as_good_as_one(empty: Place, once: tuple[Place, str], tmp_path: Path) -> None:
    """Where there is a server, two of them have a data folder of their own, as containers do."""
    other = Place(
        tmp_path / "other" if len(empty.environment) > len(FILLED) else empty.data, empty.environment
    )
    other.data.mkdir(exist_ok=True)
    processes = [each.start(*SETUP) for each in (empty, other, empty, other)]
    said = [process.communicate(timeout=500)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, said
    assert "Traceback" not in "".join(said)
    assert_alike(empty, once[0])
    assert_alike(other, once[0])


def test_killed_anywhere_the_next_one_goes_on(empty: Place, once: tuple[Place, str]) -> None:
    for point in killed_setup.POINTS:
        code, said = empty.run("-m", "tests.ingestion.killed_setup", point.__name__)
        assert code == -signal.SIGKILL, f"{point.__name__}: {said}"
    code, said = empty.run(*SETUP)
    assert code == 0, said
    assert_alike(empty, once[0])


def test_it_says_which_providers_are_there_to_be_set_up(once: tuple[Place, str]) -> None:
    off = "off until they are set up in the admin: AutoEmbed, 2Embed, MultiEmbed, EmbedSu"
    assert re.search(rf"^providers +{off}$", once[1], re.M)
    assert not re.search("^provider ", once[1], re.M), "none is on that cannot be asked"


GROUPS = """
import sys, django; django.setup()
from django.contrib.auth.models import Group
if "forget" in sys.argv:
    Group.objects.all().delete()
print(sorted(Group.objects.values_list("name", flat=True)))
"""


def test_it_brings_the_groups_of_the_roles_also_when_somebody_has_deleted_them(empty: Place) -> None:
    there = (0, f"{sorted(Role.values)}\n")
    assert empty.run(*SETUP)[0] == 0
    assert empty.run("-c", GROUPS) == there
    assert empty.run("-c", GROUPS, "forget") == (0, "[]\n")
    assert empty.run(*SETUP)[0] == 0
    assert empty.run("-c", GROUPS) == there


SLOW = """
import django; django.setup()
from django.db import connections
from core import migrating
for alias in connections:
    with migrating.patience(alias):
        if connections[alias].vendor == "postgresql":
            connections[alias].cursor().execute("SELECT pg_sleep(2.5)")
        if connections[alias].vendor == "mongodb":
            films = connections[alias].database.films
            films.insert_one({})
            assert list(films.find({"$where": "sleep(2500) || true"}))
"""


def test_a_migration_may_take_longer_than_a_request(empty: Place) -> None:
    code, said = empty.run("-c", SLOW, DATABASE_TIMEOUT_S="1")
    assert code == 0, said


def test_a_second_one_says_what_it_waits_for_and_gives_up(tmp_path: Path, db: None) -> None:
    told: list[str] = []
    with setup_lock.only_one(tmp_path, on_wait=told.append):
        assert told == []
        with (
            pytest.raises(databases.Unusable, match=r"another setup .* still at work"),
            setup_lock.only_one(tmp_path, on_wait=told.append, wait_s=0.5),
        ):
            pass
        assert len(told) == 1
    with setup_lock.only_one(tmp_path, on_wait=told.append):
        assert len(told) == 1
