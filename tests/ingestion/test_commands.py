"""`manage.py setup` and `manage.py ingest_once`, as a person types them."""

from __future__ import annotations

import io
import stat
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import authenticate, get_user_model
from django.core.management import CommandError, call_command
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from ingestion.models import IngestLog, IngestRun, Job
from providers.models import Provider
from streaming.models import Movie, StreamVersion
from tests.ingestion.world import LISTS, World, active_label

FILM = 961


@pytest.fixture
def film(world: World) -> int:
    world.film(FILM, "The General")
    world.offer(FILM, world.rendition("low.mp4", "720p"))
    return FILM


@pytest.fixture
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    return tmp_path


def ingest_once(*args: str, fails: bool = False) -> str:
    out = io.StringIO()
    if fails:
        with pytest.raises(SystemExit) as exit_code:
            call_command("ingest_once", *args, stdout=out)
        assert exit_code.value.code == 1
    else:
        call_command("ingest_once", *args, stdout=out)
    return out.getvalue()


def test_it_discovers_and_matches_in_the_foreground(film: int) -> None:
    said = ingest_once()
    assert active_label(film) == "720p"
    assert "The General (1926): first stream (720p)." in said
    assert list(IngestRun.objects.order_by("id").values_list("job", "status")) == [
        (Job.DISCOVER, "succeeded"),
        (Job.MATCH, "succeeded"),
    ]


@pytest.mark.parametrize(("named", "rung"), [((), 4), (("--movie", str(FILM)), 1)])
def test_only_a_movie_that_is_named_starts_its_ladder_anew(
    film: int, named: tuple[str, ...], rung: int
) -> None:
    ingest_once()
    Movie.objects.update(next_check_at=None, refresh_at=timezone.now(), fruitless_searches=3)
    ingest_once(*named)
    assert Movie.objects.get().fruitless_searches == rung


def test_a_second_time_finds_nothing_to_do(film: int) -> None:
    ingest_once()
    ingest_once()
    assert IngestRun.objects.filter(job=Job.MATCH).count() == 1


def test_one_movie_by_its_id(world: World, film: int) -> None:
    world.film(7, "Another", lists=("popular",))
    ingest_once("--movie", str(FILM))
    assert [movie.pk for movie in Movie.objects.all()] == [film]
    assert active_label(film) == "720p"


def test_a_dry_run_says_what_would_be_added_and_writes_nothing(film: int) -> None:
    providers = list(Provider.objects.values())
    said = ingest_once("--dry-run")
    assert "would add      The General (1926) [961]" in said
    assert "Nothing was written." in said
    for model in (Movie, StreamVersion, IngestRun, IngestLog):
        assert not model.objects.exists()
    assert list(Provider.objects.values()) == providers


def test_a_dry_run_of_one_movie(film: int) -> None:
    assert "The General would be added." in ingest_once("--dry-run", "--movie", str(film))
    assert not Movie.objects.exists()


def test_pages_are_read_as_told(world: World, film: int) -> None:
    ingest_once("--pages", "1")
    assert world.asked_for("/3/movie/popular") == 1
    with pytest.raises(CommandError, match="from 1 to 50; 0 is not"):
        ingest_once("--pages", "0")


def test_a_failed_run_is_exit_code_1(world: World, film: int) -> None:
    for name in LISTS:
        world.broken(f"/3/movie/{name}", status=500)
    assert "FAILED" in ingest_once(fails=True)


def test_a_movie_that_tmdb_does_not_know_is_said_in_words(world: World) -> None:
    world.forget(5)
    with pytest.raises(CommandError, match="there is no movie 5"):
        ingest_once("--movie", "5")


def test_a_run_that_waits_in_the_queue_is_taken_over(film: int) -> None:
    from django.utils import timezone

    from ingestion import runs

    runs.queue(Job.DISCOVER, at=timezone.now(), trigger="setup")
    ingest_once()
    assert active_label(film) == "720p"
    assert IngestRun.objects.filter(job=Job.DISCOVER).count() == 1


def setup() -> str:
    out = io.StringIO()
    call_command("setup", stdout=out)
    return out.getvalue()


def test_setup_makes_all_that_is_needed(world: World, folder: Path) -> None:
    Provider.objects.all().delete()
    said = setup()
    assert Provider.objects.get(enabled=True).config == {"base_url": f"{world.url}/library"}
    assert PeriodicTask.objects.filter(name=Job.TICK.value).exists()
    kept = folder / "admin-password"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    user = authenticate(username="admin", password=kept.read_text().strip())
    assert user is not None
    assert user.is_superuser
    assert kept.read_text().strip() not in said
    assert IngestRun.objects.get().job == Job.DISCOVER


def test_setup_twice_is_the_same_as_once(world: World, folder: Path) -> None:
    setup()
    password = (folder / "admin-password").read_text()
    PeriodicTask.objects.filter(name=Job.DISCOVER.value).update(enabled=False)
    Provider.objects.update(enabled=False)
    setup()
    assert (folder / "admin-password").read_text() == password
    assert get_user_model().objects.count() == IngestRun.objects.count() == 1
    assert not PeriodicTask.objects.get(name=Job.DISCOVER.value).enabled
    assert not Provider.objects.filter(enabled=True).exists()


def test_setup_makes_no_account_where_there_is_a_superuser(world: World, folder: Path) -> None:
    get_user_model().objects.create_superuser("root", password="x")
    setup()
    assert not (folder / "admin-password").exists()
    assert get_user_model().objects.count() == 1
