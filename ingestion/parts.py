"""Work in parts, none of which stops the others. What the parts are is for their job to say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from core.outages import OUTAGES
from ingestion.reports import Report

Part = Callable[[], Mapping[str, int]]


def in_parts(report: Report, parts: Iterable[tuple[str, Part]]) -> dict[str, int]:
    """Do each part, whatever becomes of the others, and add up what they count.

    A bug in one is contained (see Report). Raises one of `core.outages`, once all were tried, if one met it:
    a question may have been too much for a database that answers the next.
    """
    counted, away = Counter[str](), list[Exception]()
    for what, part in parts:
        try:
            with report.contained(what):
                counted.update(part())
        except OUTAGES as error:
            away.append(error)
    if away:
        raise away[0]
    return dict(counted)
