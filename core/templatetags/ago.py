"""Times in a person's words, for pages and admin."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.timesince import timesince

register = template.Library()


@register.filter
def ago(moment: datetime) -> str:
    """ "just now", "5 minutes ago", "3 days ago"; one unit is enough. What lies ahead is "in 5 minutes"."""
    seconds = (timezone.now() - moment).total_seconds()
    if abs(seconds) < 60:
        return "just now" if seconds >= 0 else "in a moment"
    text = timesince(*((moment, timezone.now()) if seconds > 0 else (timezone.now(), moment)), depth=1)
    return f"{text} ago" if seconds > 0 else f"in {text}"
