"""What Prometheus reads: gauges of what is stored, computed when asked for. Nothing is counted meanwhile.

Each part is asked in a thread of its own and has until the deadline: one whose server is away is missing from
the answer, and says so. Labels come from our own lists (jobs, states, providers), never from what is outside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

from django.db import connections
from django.db.models import Count
from django.utils import timezone
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from core.questions import Question, put
from ingestion import backlog, figures, status, timetable
from ingestion.models import IngestRun
from ingestion.registry import JOBS
from providers import health
from providers.models import Provider

ANSWER_WITHIN_S = 5.0
"""Prometheus itself waits for ten."""
OPEN = (IngestRun.Status.QUEUED, IngestRun.Status.RUNNING)

Rows = Iterable[tuple[tuple[str, ...], float]]
Part = Callable[[datetime], Iterator[GaugeMetricFamily]]


def of_this_process(name: str, about: str, read: Callable[[], float]) -> None:
    """Add a gauge that only this process knows; it is read at once, from memory."""
    _process_gauges[name] = about, read


def text() -> bytes:
    """All metrics in Prometheus' text format (version 0.0.4). Takes ANSWER_WITHIN_S at most."""
    registry = CollectorRegistry()
    registry.register(_Scrape())
    return generate_latest(registry)


class _Scrape(Collector):
    def describe(self) -> list[GaugeMetricFamily]:
        """Nothing beforehand: registering it is not to ask for anything."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        answers = put(_QUESTIONS, within_s=ANSWER_WITHIN_S)
        well = {name: answer.done() and not answer.exception() for name, answer in answers.items()}
        for name, answer in answers.items():
            if well[name]:
                yield from answer.result()
        for name, (about, read) in _process_gauges.items():
            yield _gauge(name, about, [((), read())])
        parts = [((name,), float(done)) for name, done in well.items()]
        yield _gauge("marquee_scrape_part_success", "Whether a part of this scrape was read.", parts, "part")


def runs(at: datetime) -> Iterator[GaugeMetricFamily]:
    found = IngestRun.objects.filter(status__in=OPEN).values_list("job", "status")
    counts = {(job, state): n for job, state, n in found.annotate(n=Count("pk")).order_by()}
    rows = [((job, state.value), float(counts.get((job, state), 0))) for job in JOBS for state in OPEN]
    yield _gauge("marquee_runs_open", "Runs that wait or are at work.", rows, "job", "status")
    over = [((job, state), float(n)) for job in JOBS for state, n in status.ended(job, at).items()]
    yield _gauge(
        "marquee_runs_ended_last_day", "Runs that ended in the last 24 hours.", over, "job", "status"
    )
    good = [((job,), ended.timestamp()) for job in JOBS if (ended := _last_success(job))]
    about = "When a run of the job last succeeded."
    yield _gauge("marquee_run_last_success_timestamp_seconds", about, good, "job")


def queue(at: datetime) -> Iterator[GaugeMetricFamily]:
    seen = backlog.measure(at)
    yield _gauge("marquee_queue_runs", "Runs that wait for a worker.", [((), seen.runs)])
    oldest = seen.oldest.total_seconds()
    yield _gauge("marquee_queue_oldest_age_seconds", "For how long the oldest has waited.", [((), oldest)])


def broker(_: datetime) -> Iterator[GaugeMetricFamily]:
    """Raises ConnectionError when it does not answer."""
    depth, workers = status.queue_depth(), status.workers()
    if depth is None or workers is None:
        raise ConnectionError("the broker does not answer")
    yield _gauge("marquee_queue_messages", "Messages that wait in the broker.", [((), depth)])
    yield _gauge("marquee_workers", "Workers that answer.", [((), workers)])


def schedules(at: datetime) -> Iterator[GaugeMetricFamily]:
    timed = timetable.read()
    overdue = timed.overdue(at)
    alive = float(timed.beat_alive(at))
    yield _gauge("marquee_beat_alive", "Whether anybody fires schedules.", [((), alive)])
    late = [((job,), float(job in overdue)) for job in timed.schedules]
    yield _gauge(
        "marquee_schedule_overdue", "Whether a schedule did not fire when it should have.", late, "job"
    )
    fired = [((job,), each.fired_at.timestamp()) for job, each in timed.schedules.items() if each.fired_at]
    yield _gauge("marquee_schedule_last_fired_timestamp_seconds", "When a schedule last fired.", fired, "job")


def catalogue(_: datetime) -> Iterator[GaugeMetricFamily]:
    seen = figures.catalogue()
    movies = seen["movies"]
    rungs = [((label,), float(n)) for label, n in movies["by_quality"].items()]
    yield _gauge("marquee_movies_showing", "Films that the public sees, by quality.", rungs, "quality")
    dark = [((), float(movies["without_stream"]))]
    yield _gauge("marquee_movies_without_stream", "Films that have no active stream.", dark)
    versions = [((state,), float(n)) for state, n in seen["versions"].items()]
    yield _gauge("marquee_stream_versions", "Stream versions by what their probes say.", versions, "state")


def providers(at: datetime) -> Iterator[GaugeMetricFamily]:
    known = [(each, health.state(each, at)) for each in Provider.objects.order_by("pk")]
    rows = [((each.slug, state.value), float(state is now)) for each, now in known for state in health.State]
    yield _gauge(
        "marquee_provider_state", "1 for the state that a provider is in.", rows, "provider", "state"
    )
    reliable = [((each.slug,), each.reliability) for each, _ in known]
    yield _gauge("marquee_provider_reliability_ratio", "How reliable it is: 0 to 1.", reliable, "provider")
    pauses = [((each.slug,), _left(each.backoff_until, at)) for each, _ in known]
    yield _gauge("marquee_provider_backoff_seconds", "For how long it is left alone yet.", pauses, "provider")


def databases(_: datetime) -> Iterator[GaugeMetricFamily]:
    """Django's own tables, and ours if those are elsewhere."""
    seen = {alias: figures.database(alias) for alias in connections}
    took = [((alias,), each["latency_ms"] / 1000) for alias, each in seen.items()]
    yield _gauge("marquee_database_latency_seconds", "How long a look-up by key takes.", took, "database")
    sizes = [((alias,), float(each["bytes"])) for alias, each in seen.items()]
    yield _gauge("marquee_database_bytes", "What a database takes of the disk.", sizes, "database")


def _last_success(job: str) -> datetime | None:
    well = IngestRun.objects.filter(job=job, status=IngestRun.Status.SUCCEEDED).order_by("-id")
    return well.values_list("finished_at", flat=True).first()


def _left(until: datetime | None, at: datetime) -> float:
    return max((until - at) / timedelta(seconds=1), 0.0) if until else 0.0


def _gauge(name: str, about: str, rows: Rows, *labels: str) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, about, labels=labels)
    for values, number in rows:
        family.add_metric(values, number)
    return family


def _asking(*parts: Part) -> Question[list[GaugeMetricFamily]]:
    return Question(lambda: [family for part in parts for family in part(timezone.now())])


_QUESTIONS = {
    "jobs": _asking(runs, queue),
    "broker": _asking(broker),
    "schedules": _asking(schedules),
    "catalogue": _asking(catalogue),
    "providers": _asking(providers),
    "databases": _asking(databases),
}
_process_gauges: dict[str, tuple[str, Callable[[], float]]] = {}
