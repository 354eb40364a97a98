"""Recording: an act is written down before it is done, and how it ended after it.

So what happened is on record even if the process dies within it: the first line then stands alone, until
`core.audit.keeping` says that nobody knows how it ended. An act that cannot be written down is not done.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, router, transaction
from django.http import Http404
from django.utils import timezone
from rest_framework.exceptions import APIException

from core import correlation, doors
from core.audit import masks
from core.audit.actions import Action
from core.doors import Who
from core.ids import uuid7, uuid7_of
from core.models import AuditEntry
from core.outages import OUTAGES
from core.refusals import Refusal

logger = logging.getLogger(__name__)

Outcome = AuditEntry.Outcome
Values = Mapping[str, Any]
NOTHING: Values = {}


class Deed:
    """An act while it is being done: whoever does it says here what became of what.

    `key` and `name` may be said here as well, if only now it is known to what it is done.
    """

    def __init__(self, key: object = "", name: str = "") -> None:
        self.key, self.name = key, name
        self.before: Values = NOTHING
        self.after: Values = NOTHING
        self.refused_for: str | None = None

    def changed(self, before: Values = NOTHING, after: Values = NOTHING) -> None:
        """From what to what; members that are the same on both sides are left out. No secrets."""
        self.before, self.after = before, after

    def refuse(self, why: str) -> None:
        """It was refused without an exception, and nothing was written."""
        self.refused_for = why


@contextmanager
def act(action: Action, key: object = "", *, name: str = "", why: str = "") -> Iterator[Deed]:
    """Record what is done within the block: that it begins, and how it ends, whatever happens.

    `key` says to which one of `action.kind` it is done, `name` what people call it, `why` the reason given.
    An exception is recorded and goes on: a Refusal, or an answer of 4xx, as refused; any other as failed.
    """
    begun, deed = begin(action, key, name=name, why=why), Deed(key, name)
    try:
        yield deed
    except BaseException as error:
        refused = _is_refusal(error)
        # What a bug says may be anything: that is in the log, masked, under the same correlation id.
        told = f"{type(error).__name__}: {error}" if refused else type(error).__name__
        end(begun, Outcome.REFUSED if refused else Outcome.FAILED, deed, error=told)
        raise
    outcome = Outcome.DONE if deed.refused_for is None else Outcome.REFUSED
    end(begun, outcome, deed, error=deed.refused_for or "")


def record(
    action: Action,
    key: object = "",
    *,
    name: str = "",
    why: str = "",
    before: Values = NOTHING,
    after: Values = NOTHING,
    outcome: Outcome = Outcome.DONE,
    error: str = "",
    who: Who | None = None,
) -> None:
    """Record in one row what has just happened: what changes nothing, or is on record elsewhere as well."""
    row = _row(action, outcome, key, name=name, why=why, who=who)
    _fill(row, before, after, error)
    row.save()


def begin(action: Action, key: object = "", *, name: str = "", why: str = "") -> AuditEntry:
    """The row that stands for an act from before it is done. `act` sees to it that it ends; this does not."""
    begun = _row(action, Outcome.BEGUN, key, name=name, why=why)
    begun.save()
    return begun


def end(begun: AuditEntry, outcome: Outcome, deed: Deed, *, error: str = "") -> None:
    """Record how an act ended.

    What is done is done: a database that went away meanwhile is no reason to say that it was not.
    """
    row = end_of(begun)
    row.outcome = outcome
    row.target_key, row.target_name = masks.text(str(deed.key), 150), masks.text(deed.name, 200)
    _fill(row, deed.before, deed.after, error)
    try:
        _insert(row)
    except OUTAGES as outage:
        logger.error("the audit could not be told how %s ended (%s): %s", begun, outcome, outage)


def end_of(begun: AuditEntry) -> AuditEntry:
    """The row that says how an act ended, still to be filled. Its key follows from the first one's, so an act
    ends once, whoever says so."""
    own = {"id": uuid7_of(begun.at, f"the end of {begun.pk}"), "at": timezone.now(), "outcome": ""}
    copied = {
        field.attname: getattr(begun, field.attname)
        for field in AuditEntry._meta.concrete_fields
        if field.attname not in own
    }
    return AuditEntry(**own, **copied)


def _row(
    action: Action, outcome: Outcome, key: object, *, name: str, why: str, who: Who | None = None
) -> AuditEntry:
    origin, own, at = doors.current(), uuid7(), timezone.now()
    by = who or origin.who()
    return AuditEntry(
        id=own,
        act=own,
        at=at.replace(microsecond=at.microsecond // 1000 * 1000),  # MongoDB would keep no more
        action=action.value,
        outcome=outcome,
        actor_id=masks.text(by.id, 40),
        actor_name=masks.text(by.name, 150),
        target_kind=action.kind,
        target_key=masks.text(str(key), 150),
        target_name=masks.text(name, 200),
        why=masks.text(why),
        door=origin.door,
        via=masks.text(origin.via, 200),
        address=origin.address[:64],
        correlation_id=correlation.current(),
    )


def _fill(row: AuditEntry, before: Values, after: Values, error: str) -> None:
    before, after = masks.changed(before, after)
    row.before, row.after = masks.members(before), masks.members(after)
    row.error = masks.text(error)


def _insert(row: AuditEntry) -> None:
    """Also beside a row by which `keeping` has given up on an act that took its time."""
    try:
        with transaction.atomic(using=router.db_for_write(AuditEntry)):
            row.save()
    except IntegrityError:
        row.pk = uuid7()
        row.save()


def _is_refusal(error: BaseException) -> bool:
    if isinstance(error, APIException):
        return error.status_code < 500
    return isinstance(error, Refusal | Http404 | PermissionDenied)
