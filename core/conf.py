"""The runtime settings in force: database over environment over default, read afresh by every process.

Nothing is cached: a change is seen by the next decision of every process, without a restart.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings

from core import options, signals
from core.models import Setting
from core.options import OptionError, Options

__all__ = ["OptionError", "Options", "State", "change", "current", "describe", "reset"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """One runtime setting as an operator sees it. `source` is database, environment or default."""

    name: str
    value: Any
    source: str
    default: Any
    kind: str
    allowed: str
    help: str
    changed_at: datetime | None = None
    changed_by: str = ""


def current() -> Options:
    """All runtime settings, for one decision. One query."""
    values = {**_from_environment(), **{row.name: row.value for row in _rows().values()}}
    return Options(**{options.NAMES[name]: value for name, value in values.items()})


def describe() -> list[State]:
    """Every setting with its value and where it comes from, in the order of declaration."""
    rows, environment = _rows(), _from_environment()
    return [_state(name, rows.get(name), environment) for name in options.NAMES]


def change(name: str, raw: object, *, by: str, at: datetime) -> State:
    """Set `name` for all processes. Raises OptionError, and then nothing is written."""
    value = options.parse(name, raw)
    row, _ = Setting.objects.update_or_create(
        name=name, defaults={"value": value, "changed_at": at, "changed_by": by}
    )
    signals.setting_changed.send(sender=Setting, name=name)
    return _state(name, row, _from_environment())


def reset(name: str) -> State:
    """Forget the operator's word: the environment's value or the default holds again."""
    options.kind_of(name)
    Setting.objects.filter(name=name).delete()
    signals.setting_changed.send(sender=Setting, name=name)
    return _state(name, None, _from_environment())


def _rows() -> dict[str, Setting]:
    """The rows that still make sense: an option that left the code, or whose bounds moved, is passed over."""
    rows = {}
    for row in Setting.objects.all():
        try:
            row.value = options.parse(row.name, row.value)
        except OptionError as error:
            logger.warning("stored setting passed over: %s", error)
            continue
        rows[row.name] = row
    return rows


def _from_environment() -> dict[str, Any]:
    values: dict[str, Any] = settings.OPTIONS_FROM_ENV
    return values


def _state(name: str, row: Setting | None, environment: dict[str, Any]) -> State:
    default = getattr(options.DEFAULTS, options.NAMES[name])
    value, source = default, "default"
    if name in environment:
        value, source = environment[name], "environment"
    if row is not None:
        value, source = row.value, "database"
    kind = options.kind_of(name)
    return State(
        name=name,
        value=value,
        source=source,
        default=default,
        kind=kind.name,
        allowed=kind.allowed,
        help=options.help_of(name),
        changed_at=row.changed_at if row else None,
        changed_by=row.changed_by if row else "",
    )
