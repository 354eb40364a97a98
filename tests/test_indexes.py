"""What is asked all the time, and every page of a list, is answered by an index: on each database.

The tables are full enough for a planner to care, and the plans are those of what was really asked.
"""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client

from core.ids import uuid7
from ingestion import checking, daily, figures, status
from ingestion.models import IngestLog, IngestRun, Job, Slot
from streaming.api.movies import ORDERS
from streaming.live import reads
from streaming.models import Movie, StreamSwitch, StreamVersion
from streaming.quality import Quality
from tests import clients
from tests.ingestion.world import succeeded
from tests.queries import Plan, explained
from tests.streaming import factory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

AT = datetime(2026, 5, 1, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MOVIES = (
    *(f"ordering={order}" for order in ORDERS),
    "genre=Comedy",
    "language=fr",
    "quality=720p",
    "min_quality=1080p",
    "genre=Comedy&language=fr&ordering=title",
)
"""What a list may be asked for, so that it has three pages of ten and more."""
LARGE = (Movie, StreamVersion, StreamSwitch, IngestRun, IngestLog, Slot)
MANY = 1000
FEW = 10
"""Of so many movies something is due."""


def version_key(number: int, which: int) -> uuid.UUID:
    return uuid.uuid5(uuid.NAMESPACE_URL, f"{number}/{which}")


def movie(number: int) -> Movie:
    due = number <= FEW
    return Movie(
        id=number,
        title=f"Movie {number}",
        discovered_at=AT,
        popularity=float(number % 97),
        original_language=("en", "en", "fr")[number % 3],
        genres=["Drama", "Comedy"][: number % 3],
        release_date=date(1920 + number % 90, 1, 1) if number % 20 else None,
        matched_at=AT,
        refresh_at=AT if due else AT + DAY,
        next_check_at=AT if due else AT + DAY,
        active_stream_id=version_key(number, 0),
        active_quality=Quality.P1080 if number % 4 else Quality.P720,
        switch_seq=2,
        switched_at=AT - number % 300 * HOUR,
    )


def version(number: int, which: int) -> StreamVersion:
    due, idle = number <= FEW, which == 1
    ended = AT - HOUR if due and idle else None
    return StreamVersion(
        id=version_key(number, which),
        movie_id=number,
        provider_id="disabled" if due and idle else "library",
        url="https://cdn.example/a.m3u8",
        delivery="hls",
        verified_quality=Quality.P1080,
        state="suspect" if due else "healthy",
        probed_at=AT,
        first_seen=AT - 9 * DAY,
        last_seen=AT - 9 * DAY if due else AT,
        next_check_at=AT if due else AT + DAY,
        suppressed_at=ended,
        suppressed_until=AT if ended else None,
        rights_until=AT if due and not idle else None,
        rights_from=AT + DAY if due and idle else None,
        missing_since=AT - 9 * DAY if due else None,
        expired_at=AT - DAY if due and idle else None,
        retired_at=None if not idle else AT - 9 * DAY,
        switch_seq=1 + which,
    )


def switch(number: int, seq: int) -> StreamSwitch:
    return StreamSwitch(
        id=StreamSwitch.key_for(number, seq),
        movie_id=number,
        seq=seq,
        reason="upgrade" if number % 50 == 0 else "first",
        to_version=version_key(number, 0),
        at=AT - number * (HOUR if number <= FEW and seq == 2 else DAY),
        actor_name="Marquee",
        after={"stream": {}, "rights": {"valid_from": "", "valid_until": ""}},
        attempt=uuid.uuid4(),
    )


def run(number: int) -> IngestRun:
    of_movie = number % 3 == 0
    job = Job.MATCH if of_movie else Job.TICK if number % 20 == 1 else Job.REFRESH
    ended = None if number <= FEW else AT - number * HOUR / 4
    return IngestRun(
        job=job,
        movie_id=number if of_movie else None,
        status="queued" if ended is None else "failed" if number % 50 == 0 else "succeeded",
        trigger="schedule",
        queued_at=AT - number * HOUR / 4,
        started_at=ended,
        finished_at=ended,
    )


def log(number: int) -> IngestLog:
    return IngestLog(
        at=AT - number * HOUR / 4,
        run_id=uuid.UUID(int=number % 500),
        job=list(Job)[number % 6],
        movie_id=number % 700,
        status="ERROR" if number % 50 == 0 else "OK",
        message="",
    )


@pytest.fixture
def full() -> None:
    """Tables with thousands of rows, a few of which are due. PostgreSQL is told how full they are."""
    factory.provider()
    factory.provider("disabled", enabled=False)
    numbers = range(1, MANY + 1)
    Movie.objects.bulk_create([movie(n) for n in numbers])
    StreamVersion.objects.bulk_create([version(n, which) for n in numbers for which in (0, 1)])
    StreamSwitch.objects.bulk_create([switch(n, seq) for n in numbers for seq in (1, 2)])
    IngestRun.objects.bulk_create([run(n) for n in reversed(numbers)])
    IngestLog.objects.bulk_create([log(n) for n in reversed(numbers)])
    Slot.objects.bulk_create([Slot(key=f"{n}", run_id=uuid7(), lease_until=AT + DAY) for n in numbers])
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
            # As on a disk without a moving head: with the default, reading a small table whole is as cheap as
            # a few keys of it, and how much room earlier tests left in the table would decide.
            cursor.execute("SET LOCAL random_page_cost = 1.1")


def wrong(plans: list[Plan]) -> list[str]:
    """The plans that read a large table whole, or sort a page by hand."""
    large = {model._meta.db_table for model in LARGE}
    assert plans, "nothing was asked"
    return [plan.text for plan in plans if plan.scanned & large or (plan.page and plan.sorts)]


@pytest.mark.usefixtures("full")
def test_each_page_comes_sorted_by_an_index_and_each_row_by_its_key() -> None:
    anyone, viewer = clients.client(), clients.client("viewer")
    run_id, log_run_id = (
        model.objects.values_list(key, flat=True)[0]
        for model, key in ((IngestRun, "pk"), (IngestLog, "run_id"))
    )
    runs = ("", "?job=content.match", "?status=failed", "?movie=9", "?job=content.match&status=failed")
    logs = ("", "?job=content.match", "?status=ERROR", "?movie=9", f"?run={log_run_id}")
    with explained() as plans:
        for words in MOVIES:
            url = f"/api/movies?limit=10&{words}"
            for _ in range(3):
                url = anyone.get(url).json()["next"]
        assert viewer.get("/api/movies?standing=any&ordering=-release_date").json()["next"]
        for path in ("api/movies/7", "api/movies/7/active-stream", "api/movies/7/stream-versions", "watch/7"):
            assert anyone.get(f"/{path}").status_code == 200, path
        for path in (*(f"runs{words}" for words in runs), *(f"logs{words}" for words in logs)):
            url = f"/api/ingest/{path}{'&' if '?' in path else '?'}limit=1"
            page = viewer.get(url)
            assert page.json(), path
            if older := page.get("Link"):
                assert viewer.get(older[1:].partition(">")[0]).json(), path
        assert viewer.get(f"/api/ingest/runs/{run_id}").json()
        assert viewer.get("/api/movies/7/switches").json()
        known = dict.fromkeys(range(1, FEW), 1) | {MANY: None}
        assert len(reads._read_batch(known)) == FEW
        status.snapshot(AT)
    assert wrong(plans) == []
    assert wrong(pages_of_the_admin()) == []


@pytest.mark.usefixtures("full")
def test_a_day_is_counted_by_indexes_and_read_by_its_key() -> None:
    """How the catalogue stands takes a look at each row of it: that is asked by the hour, or kept a while."""
    start = AT.replace(hour=0) - DAY
    with explained() as plans:
        counted = figures.counted(start, start + DAY)
        daily.history(AT)
    assert counted["jobs"]
    assert sum(counted["switches"].values())
    assert wrong(plans) == []


@pytest.mark.usefixtures("full")
def test_movies_of_a_year_are_found_by_an_index_and_may_be_sorted() -> None:
    with explained() as plans:
        assert clients.client().get("/api/movies?year=1950").json()["results"]
    assert wrong([plan._replace(sorts=False) for plan in plans]) == []


def pages_of_the_admin() -> list[Plan]:
    """What the change lists show. Django counts the rows as well, which reads them all: the price of its page
    numbers."""
    client = Client()
    client.force_login(clients.user("viewer", "admin", is_staff=True))
    lists = (
        "streaming/movie/",
        "streaming/streamversion/",
        "streaming/streamswitch/",
        "streaming/streamswitch/?reason__exact=first",
        "ingestion/ingestrun/",
        "ingestion/ingestrun/?status__exact=succeeded",
        "ingestion/ingestlog/",
    )
    with explained() as plans:
        for path in lists:
            assert client.get(f"/admin/{path}").status_code == 200, path
    pages = [plan for plan in plans if plan.page]
    assert len(pages) >= len(lists)
    return pages


@pytest.mark.usefixtures("full")
def test_what_is_due_is_found_by_an_index(monkeypatch: pytest.MonkeyPatch) -> None:
    viewer = clients.client("viewer")
    span = f"since={(AT - DAY):%Y-%m-%dT%H:%M:%SZ}&until={(AT - DAY / 2):%Y-%m-%dT%H:%M:%SZ}"
    monkeypatch.setattr(checking, "probe_all", lambda report, versions: [])
    while daily.keep(AT):  # or the tick would: by the hour it looks at each row of the catalogue
        pass
    with explained() as plans:
        for job in (Job.REFRESH, Job.TICK, Job.PRUNE, Job.REVERIFY):
            assert any(succeeded(job, at=AT).values()), f"{job} found nothing due"
        assert viewer.get(f"/api/ingest/logs?{span}").json()
    # Few rows, found by an index, may well be sorted by hand.
    assert wrong([plan._replace(sorts=False) for plan in plans]) == []
