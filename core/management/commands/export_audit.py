"""`manage.py export_audit`: the audit as JSON lines, to standard output. It is itself audited."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.dateparse import parse_date, parse_datetime

from core import audit
from core.audit import export


class Command(BaseCommand):
    help = "Write the audit as JSON lines, oldest act first."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--since", metavar="WHEN", help="acts that began then or later: a day, or a time")
        parser.add_argument("--until", metavar="WHEN", help="acts that began before: a day, or a time (UTC)")

    def handle(self, *args: Any, **options: Any) -> None:
        since, until = moment("--since", options["since"]), moment("--until", options["until"])
        span = {"since": options["since"] or "", "until": options["until"] or ""}
        with audit.at_terminal("export_audit"):
            audit.record(audit.Action.AUDIT_EXPORT, after=span)
            for chunk in export.chunks(since, until):
                self.stdout.write(chunk, ending="")


def moment(name: str, words: str | None) -> datetime | None:
    """A day is its first moment; without a zone it is UTC. Raises CommandError."""
    if not words:
        return None
    try:
        day = parse_date(words)
        at = datetime.combine(day, time()) if day else parse_datetime(words)
    except ValueError:
        at = None
    if at is None:
        raise CommandError(f"{name} is a day such as 2026-01-31, or a time such as 2026-01-31T18:00Z.")
    return at if at.tzinfo else at.replace(tzinfo=UTC)
