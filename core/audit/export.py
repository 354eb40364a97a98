"""The audit as JSON lines (https://jsonlines.org/), oldest act first, in bounded memory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from core.ids import floor_of
from core.models import AppendOnlyQuerySet, AuditEntry

BATCH = 500


def chunks(since: datetime | None = None, until: datetime | None = None) -> Iterator[str]:
    """A line for each row of the acts that began from `since` on and before `until`; BATCH lines at once.

    Read by key: no query stays open while a client is slow, and what is written meanwhile is seen.
    """
    rows = between(since, until).order_by("id")
    batch = list(rows[:BATCH])
    while batch:
        yield "".join(map(line, batch))
        batch = list(rows.filter(id__gt=batch[-1].pk)[:BATCH])


def between(since: datetime | None, until: datetime | None) -> AppendOnlyQuerySet:
    """The rows of acts that began in that time: by their keys, which are sorted by it."""
    rows = AuditEntry.objects.all()
    rows = rows if since is None else rows.filter(id__gte=floor_of(since))
    return rows if until is None else rows.filter(id__lt=floor_of(until))


def line(row: AuditEntry) -> str:
    return json.dumps(body(row), ensure_ascii=False, separators=(",", ":")) + "\n"


def body(row: AuditEntry) -> dict[str, Any]:
    """One row as it is exported (docs/audit.md)."""
    return {
        "id": str(row.pk),
        "act": str(row.act),
        "at": row.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "action": row.action,
        "outcome": row.outcome,
        "who": {"id": row.actor_id, "name": row.actor_name},
        "target": {"kind": row.target_kind, "key": row.target_key, "name": row.target_name},
        "from": row.before,
        "to": row.after,
        "why": row.why,
        "error": row.error,
        "door": row.door,
        "via": row.via,
        "address": row.address,
        "correlation_id": row.correlation_id,
    }
