"""The value of a setting in a page: what there is, `empty`, or that nothing was said."""

from __future__ import annotations

from typing import Any

from django import template

register = template.Library()


@register.filter
def as_value(value: Any) -> str:
    """A value as it is entered. None is an operator's word taken back."""
    if value is None:
        return "the start value"
    return str(value).lower() if isinstance(value, bool) else str(value) or "empty"
