"""What `GET /api/stats` answers: the last days and this moment in figures. Nothing is written.

Days come from their rows. Today, and what takes a look at whole tables, each process keeps for a minute. Each
part has a thread of its own and until the deadline: one whose database is away is null, and is named.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import cache, partial
from typing import Any

from django.db import connections
from django.utils import timezone

from core.questions import Question, put
from ingestion import daily, figures
from ingestion.figures import Figures
from ingestion.models import DailyStats
from ingestion.status import ENDED

ANSWER_WITHIN_S = 4.0
FRESH_S = 60.0
COUNTED = ("jobs", "switches", "calls")
STANDING = ("movies", "versions", "providers", "databases")


def answer(at: datetime, *, days: int) -> Figures:
    """The last so many days in UTC, today's included, what they come to, and how things stand now.

    Takes ANSWER_WITHIN_S at most. `missing` names what did not answer by then: `today`, `history`, databases.
    """
    told = put(questions(), within_s=ANSWER_WITHIN_S)
    found = {name: each.result() for name, each in told.items() if each.done() and not each.exception()}
    today: DailyStats | None = found.get("today")
    rows: dict[date, DailyStats] = found.get("history", {}) | ({today.start.date(): today} if today else {})
    asked = sorted(daily.last(today.at if today else at)[:days])
    now = _standing(today) | {"databases": {alias: found.get(alias) for alias in connections}}
    shown = [_day(day, rows.get(day)) for day in asked]
    if today:
        shown[-1] |= now
    return {
        "at": at,
        "now": now,
        "total": _counted(_add_up([rows[day].counted for day in asked if day in rows])),
        "days": shown,
        "missing": [name for name in told if name not in found],
    }


@cache
def questions() -> dict[str, Question[Any]]:
    asked: dict[str, Callable[[], Any]] = {
        "today": lambda: daily.measure(timezone.now()),
        "history": lambda: daily.history(timezone.now()),
        **{alias: partial(figures.database, alias) for alias in connections},
    }
    return {name: Question(ask, fresh_s=FRESH_S) for name, ask in asked.items()}


def _day(day: date, row: DailyStats | None) -> Figures:
    return {"day": day, **_standing(row), **_counted(row.counted if row else None)}


def _standing(row: DailyStats | None) -> Figures:
    known = (row.standing or {}) if row else {}
    return {"as_of": row.at if row else None, **{name: known.get(name) for name in STANDING}}


def _counted(known: Figures | None) -> Figures:
    """Counters as they are kept, and what follows from them."""
    if known is None:
        return dict.fromkeys(COUNTED)
    return {
        "jobs": {job: _job(each) for job, each in known["jobs"].items()},
        "switches": known["switches"],
        "calls": {slug: _calls(each) for slug, each in known["calls"].items()},
    }


def _job(known: Mapping[str, Any]) -> Figures:
    ends = {status.value: known[status] for status in ENDED}
    failed = known["failed"] + known["lost"]
    duration = {
        "mean": _ratio(known["took_s"], known["timed"]),
        "p95": known["p95_s"],
        "max": known["max_s"],
    }
    success_rate = _ratio(known["succeeded"], known["succeeded"] + failed)
    return {**ends, "success_rate": success_rate, "duration_s": duration}


def _calls(known: Mapping[str, int]) -> Figures:
    return {
        **known,
        "latency_ms": _ratio(known["latency_ms"], known["answered"]),
        "success_rate": _ratio(known["answered"], known["answered"] + known["failed"]),
    }


def _add_up(days: Sequence[Figures]) -> Figures | None:
    """What all days come to together: sums, and the longest of all runs. Percentiles do not add up."""
    if not days:
        return None
    return {
        "jobs": _by_name([day["jobs"] for day in days], _sum_of_jobs),
        "switches": _sum([day["switches"] for day in days]),
        "calls": _by_name([day["calls"] for day in days], _sum),
    }


def _by_name(days: Iterable[Figures], add_up: Callable[[list[Figures]], Figures]) -> Figures:
    found: defaultdict[str, list[Figures]] = defaultdict(list)
    for day in days:
        for name, known in day.items():
            found[name].append(known)
    return {name: add_up(found[name]) for name in sorted(found)}


def _sum_of_jobs(days: list[Figures]) -> Figures:
    if len(days) == 1:
        return days[0]
    longest = max((day["max_s"] for day in days if day["timed"]), default=None)
    sums = _sum([{k: v for k, v in day.items() if k not in ("p95_s", "max_s")} for day in days])
    return {**sums, "p95_s": None, "max_s": longest}


def _sum(days: Iterable[Figures]) -> Figures:
    sums: Counter[str] = Counter()
    for day in days:
        sums.update(day)
    return dict(sums)


def _ratio(part: float, whole: float) -> float | None:
    return round(part / whole, 3) if whole else None
