"""A database hangs, dies or is locked under the running product, and comes back: nobody restarts anything."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.faults import stack
from tests.faults.stack import Fault, Marquee

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300)]

TELLTALES = ("psycopg", "postgres", "mongo", "sqlite", "locked", "127.0.0.1", "Traceback", stack.SECRET)
"""What nobody outside should read of our inside."""
SESSION = {"sessionid": "x" * 32}
"""Looked up by a middleware, before any view."""
TRIES = 9
"""Of one request at once: more than there are threads, and fewer than a minute allows of logins."""


@pytest.fixture(scope="module", params=[*stack.LAYOUTS])
def marquee(request: pytest.FixtureRequest) -> Iterator[Marquee]:
    with stack.running(request.param) as marquee:
        yield marquee


def test_outages_are_said_and_survived_and_nothing_is_lost_or_done_twice(marquee: Marquee) -> None:
    for fault in marquee.layout.faults.values():
        _survive(marquee, fault)
    assert stack.SECRET not in "".join(map(marquee.log, marquee.children))


def _survive(marquee: Marquee, fault: Fault) -> None:
    film, other = marquee.new_film(), marquee.new_film()
    with marquee.watch(film) as events:
        assert events.next().id == f"{film}:1"
        at_work, to_come = _jobs_to_be_hit(marquee, film, other)
        said = len(marquee.log("worker"))
        with fault():
            marquee.deliver(to_come)
            marquee.world.open.set()
            _assert_refused_but_alive(marquee, film)
            marquee.until(lambda: "was not renewed" in marquee.log("worker")[said:], "waited for by the job")
            marquee.until(lambda: "has to wait" in marquee.log("worker")[said:], "left to the broker")
        marquee.until_ready()
        told = events.next()
        assert (told.type, told.id) == ("stream.upgraded", f"{film}:2")
    marquee.until(lambda: not marquee.run(OPEN, films=[film, other]), "at the end of every job")
    for each, run in ((film, at_work), (other, to_come)):
        assert marquee.run(TURNS, film=each) == ["first", "upgrade"]
        ends = marquee.run(ENDS, film=each, since=run)
        assert [status for status, _ in ends].count("succeeded") == 1, ends
        assert all(status == "succeeded" or (status == "failed" and error) for status, error in ends), ends
        assert marquee.ask("GET", f"/api/movies/{each}/active-stream").json()["quality"] == "1080p"
    begun = marquee.run(TICKS)
    marquee.until(lambda: marquee.run(TICKS) > begun, "scheduled again")


def _jobs_to_be_hit(marquee: Marquee, film: int, other: int) -> tuple[str, str]:
    """A run in the middle of its search, and one whose message is still to come."""
    marquee.world.open.clear()
    marquee.world.knocked.clear()
    marquee.better(film)
    marquee.better(other)
    at_work, to_come = marquee.queue(film), marquee.queue(other, publish=False)
    marquee.until(marquee.world.knocked.is_set, "searching")
    return at_work, to_come


def _assert_refused_but_alive(marquee: Marquee, film: int) -> None:
    """Also when more come at once than there are threads."""
    requests_ = [(method, path.format(film=film)) for method, path in marquee.layout.refused]
    login = {"username": "ada", "password": stack.PASSWORD}
    with ThreadPoolExecutor(16) as clients:
        asked = [
            clients.submit(
                marquee.ask, method, path, json=login if method == "POST" else None, cookies=SESSION
            )
            for method, path in requests_ * min(16 // len(requests_), TRIES)
        ]
        assert marquee.ask("GET", "/healthz").json() == {"status": "ok"}
        _assert_named(marquee)
        for each in asked:
            _assert_come_back(each.result())
    for path in marquee.layout.still_read:
        assert marquee.ask("GET", path.format(film=film)).status_code == 200


def _assert_named(marquee: Marquee) -> None:
    checks = marquee.ask("GET", "/readyz").json()["checks"]
    wrong = {name: state for name, state in checks.items() if state != "ok"}
    assert wrong == ({marquee.layout.missing: "does not answer"} if marquee.layout.missing else {})


def _assert_come_back(response: requests.Response) -> None:
    assert response.status_code == 503, (response.url, response.text)
    assert int(response.headers["Retry-After"]) > 0
    page = not response.url.split("/")[3].startswith("api")
    assert response.headers["Content-Type"] == (
        "text/html; charset=utf-8" if page else "application/problem+json"
    )
    said = response.text + str(response.headers)
    assert not [telltale for telltale in TELLTALES if telltale in said]


OPEN = "result = IngestRun.objects.filter(movie_id__in=films, status__in=['queued', 'running']).count()"
TURNS = "result = [row.reason for row in assert_consistent(film)]"
ENDS = """
rows = IngestRun.objects.filter(movie_id=film, pk__gte=since).order_by("pk")
result = [(row.status, row.error) for row in rows]
assert not Slot.objects.filter(key=f"content.match:{film}", run_id__isnull=False).exists()
"""
TICKS = "result = IngestRun.objects.filter(job=Job.TICK, trigger='schedule', status='succeeded').count()"
