"""What `manage.py check --database` and `manage.py setup` say of providers that are not wholly set up.

Each finding has a number that stays. Nothing is sent, and no secret is named but by its name.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Info, Tags, Warning, register
from django.db import router

from core.databases import FAILURES
from providers import readiness
from providers.models import Provider

HINT = "Complete it in the admin, under Providers."


@register(Tags.database)
def providers_are_complete(
    app_configs: Any, databases: Sequence[str] | None = None, **options: Any
) -> list[CheckMessage]:
    """Of the providers in these databases. Before the first migration there are none."""
    if router.db_for_read(Provider) not in (databases or ()):
        return []
    try:
        return unfinished()
    except FAILURES:  # no table yet, or no database: others say so
        return []


def unfinished() -> list[CheckMessage]:
    """A line for each provider that lacks something: a warning if it is on, for then every search fails."""
    owed = [(provider, readiness.missing(provider)) for provider in Provider.objects.all()]
    return [_line(provider, "; ".join(words)) for provider, words in owed if words]


def _line(provider: Provider, owed: str) -> CheckMessage:
    if provider.enabled:
        text = f"{provider.slug} is on, and cannot be asked: {owed}."
        return Warning(text, HINT, obj=provider, id="providers.W001")
    text = f"{provider.slug} is off, and lacks something: {owed}."
    return Info(text, HINT, obj=provider, id="providers.I001")
