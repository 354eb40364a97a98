"""What the admin's first page shows: what is amiss, the catalogue in numbers, jobs, latest switches. It only
reads."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count
from django.urls import reverse

from core.templatetags.ago import ago
from ingestion import status
from providers.admin import chart
from providers.models import Provider
from streaming.admin import words
from streaming.models import QUALITY_CHOICES, Movie, StreamSwitch, StreamVersion

SWITCHES_SHOWN = 10
DAY = timedelta(days=1)


def context(at: datetime) -> dict[str, Any]:
    """The numbers are of now, those of switches of the last 24 hours."""
    lately = StreamSwitch.objects.filter(at__gte=at - DAY)
    seen = status.snapshot(at)
    return {
        "alarms": _alarms(seen),
        "tiles": _tiles(lately),
        "ladder": _ladder(),
        "providers": [(each, chart.state(each, at)) for each in Provider.objects.order_by("pk")],
        "status": seen,
        "switches": _switches(),
    }


def _alarms(seen: dict[str, Any]) -> list[str]:
    """What keeps jobs from being done, a sentence each."""
    overdue = {job: each["overdue_since"] for job, each in seen["jobs"].items() if each["overdue"]}
    alarms = [
        f"{job} was due {ago(since)}, and its schedule has not fired." for job, since in overdue.items()
    ]
    if overdue and not seen["beat_alive"]:
        alarms = [f"No schedule fires. Is beat running? It owes {', '.join(overdue)}."]
    if seen["workers"] is None:
        alarms.append("The broker does not answer. Jobs wait in the database until it does.")
    elif not seen["workers"]:
        alarms.append("No worker answers, so no job is done.")
    elif (queue := seen["queue"])["too_long"]:
        waited = queue["oldest_s"] // 60
        alarms.append(f"{queue['runs']} runs wait, the oldest for {waited} minutes. More workers would help.")
    return alarms


def _tiles(lately: Any) -> list[tuple[str, int, str]]:
    """Label, number, and the address of the list that shows them."""
    present = Movie.objects.present()
    versions = StreamVersion.objects.filter
    reasons = dict(lately.values_list("reason").annotate(count=Count("pk")).order_by())
    return [
        ("films showing", Movie.objects.published().count(), _list("movie", "standing=published")),
        (
            "without a stream",
            present.filter(active_stream__isnull=True).count(),
            _list("movie", "standing=without-a-stream"),
        ),
        ("upgrades today", reasons.get("upgrade", 0), _list("streamswitch", "reason__exact=upgrade")),
        ("failovers today", reasons.get("failover", 0), _list("streamswitch", "reason__exact=failover")),
        (
            "streams suspect",
            versions(state="suspect").count(),
            _list("streamversion", "state__exact=suspect"),
        ),
        ("streams broken", versions(state="broken").count(), _list("streamversion", "state__exact=broken")),
    ]


def _list(model: str, query: str) -> str:
    return f"{reverse(f'admin:streaming_{model}_changelist')}?{query}"


def _ladder() -> list[dict[str, Any]]:
    """How many films show in each quality, best first; `width` is of 200."""
    counts = dict(
        Movie.objects.published().values_list("active_quality").annotate(count=Count("pk")).order_by()
    )
    most = max(counts.values(), default=0)
    return [
        {
            "value": value,
            "label": label,
            "count": counts.get(value, 0),
            "width": 200 * counts.get(value, 0) // most,
        }
        for value, label in reversed(QUALITY_CHOICES)
        if most
    ]


def _switches() -> list[dict[str, Any]]:
    rows = list(StreamSwitch.objects.defer("decision", "effects").order_by("-at", "-id")[:SWITCHES_SHOWN])
    movies = Movie.objects.in_bulk({row.movie_id for row in rows})
    return [
        {"row": row, "movie": movies[row.movie_id], "what": words.SWITCHES[StreamSwitch.Reason(row.reason)]}
        for row in rows
        if row.movie_id in movies
    ]
