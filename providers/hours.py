"""What came of each provider's hours: counters that many processes raise at once, and the last days of them.

An hour's key is computed, so a week is read by its keys. Numbers only; nothing is decided by them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta

from django.db.models import F

from providers.models import COUNTERS, ProviderHour

HOUR = timedelta(hours=1)


def count(slug: str, at: datetime, **counted: int) -> None:
    """Add to the counters of the hour that `at` falls into. Each is one UPDATE, so none is lost."""
    key = ProviderHour.key_for(slug, at)
    more = {name: F(name) + number for name, number in counted.items() if number}
    if more and not ProviderHour.objects.filter(pk=key).update(**more):
        ProviderHour.objects.get_or_create(key=key, defaults={"hour": _start(at)})
        ProviderHour.objects.filter(pk=key).update(**more)


def last(slug: str, at: datetime, *, hours: int) -> list[ProviderHour]:
    """The last so many hours, the oldest first, that of `at` included; empty ones where nothing happened."""
    starts = [_start(at) - HOUR * ago for ago in reversed(range(hours))]
    keys = {ProviderHour.key_for(slug, start): start for start in starts}
    known = ProviderHour.objects.in_bulk(keys)
    return [known.get(key) or ProviderHour(key=key, hour=start) for key, start in keys.items()]


def totals(start: datetime, end: datetime) -> dict[str, dict[str, int]]:
    """By slug, what the hours from `start` to before `end` counted together."""
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for hour in ProviderHour.objects.filter(hour__gte=start, hour__lt=end):
        found[hour.slug].update({name: getattr(hour, name) for name in COUNTERS})
    return {slug: dict(found[slug]) for slug in sorted(found)}


def _start(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
