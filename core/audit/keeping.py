"""What becomes of rows of the audit: acts that never ended are given up, rows past their time are deleted.

The only place that deletes any. How long they are kept is AUDIT_KEPT_DAYS.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import router

from core.audit.acts import Deed, Outcome, end, end_of
from core.ids import floor_of
from core.models import AuditEntry

GIVEN_UP_AFTER = timedelta(hours=1)
"""No request and no command between its two lines takes as long."""
LOOKED_BACK = timedelta(days=30)
BATCH = 500
ROWS = 100_000
"""So many go in one call; what is left goes in the next."""


def give_up(at: datetime) -> int:
    """Say of acts that began an hour ago and have not ended that nobody knows how they ended; how many."""
    begun = AuditEntry.objects.filter(
        outcome=Outcome.BEGUN, id__gte=floor_of(at - LOOKED_BACK), id__lt=floor_of(at - GIVEN_UP_AFTER)
    ).order_by("-id")
    given_up, last = 0, floor_of(at)
    while rows := list(begun.filter(id__lt=last)[:BATCH]):
        ends = {row.pk: end_of(row).pk for row in rows}
        there = set(AuditEntry.objects.filter(pk__in=ends.values()).values_list("pk", flat=True))
        for row in (row for row in rows if ends[row.pk] not in there):
            deed = Deed(row.target_key, row.target_name)
            end(row, Outcome.UNKNOWN, deed, error="Its process ended before it could say how.")
            given_up += 1
        last = rows[-1].pk
    return given_up


def forget(*, before: datetime) -> int:
    """Delete what began before that moment, the oldest first; how many rows."""
    old = AuditEntry.objects.filter(id__lt=floor_of(before)).order_by("id")
    using, forgotten = router.db_for_write(AuditEntry), 0
    while forgotten < ROWS and (keys := list(old.values_list("pk", flat=True)[:BATCH])):
        AuditEntry.objects.filter(pk__in=keys)._raw_delete(using)
        forgotten += len(keys)
    return forgotten
