"""`rehearse KEY VALUE`: what a change of the policy would switch, film by film, however large the catalogue.

The API and the admin say so within seconds, and of a large catalogue in part. Nothing is written here.
"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from core import conf
from core.options import OptionError
from streaming import rehearsal
from streaming.models import StreamVersion
from streaming.rehearsal import Difference, Rehearsal


class Command(BaseCommand):
    help = "Say which films a change of a setting would switch, over the whole catalogue; change nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("key", choices=sorted(rehearsal.SETTINGS))
        parser.add_argument("value")

    def handle(self, *args: Any, key: str, value: str, **options: Any) -> None:
        before, found = conf.current(), Rehearsal()
        try:
            after = conf.with_change(before, key, value)
        except OptionError as error:
            raise CommandError(str(error)) from None
        for batch in rehearsal.standings(before, at=timezone.now()):
            for seen in batch:
                if difference := rehearsal.compare(seen, after):
                    found.add(difference)
                    self.stdout.write(_line(difference))
            found.checked += len(batch)
        self.stdout.write(_summary(found))


def _line(each: Difference) -> str:
    forced = ", if enforced" if each.enforced else ""
    film = f"{each.movie.pk} {each.movie.title}"
    return f"{film}: {_stream(each.now)} -> {_stream(each.then)}{forced}: {each.why}"


def _stream(version: StreamVersion | None) -> str:
    return f"{version.quality_label} ({version.provider_id})" if version else "nothing"


def _summary(found: Rehearsal) -> str:
    by_effect = found.effects.most_common()
    counts = [f"{n} {effect}{' if enforced' if forced else ''}" for (effect, forced), n in by_effect]
    return f"{found.checked} films looked at: {', '.join(counts) or 'none would play anything else'}."
