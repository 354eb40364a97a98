"""The runtime settings in force: database over environment over default, read afresh by every process.

Nothing is cached: a change is seen by the next decision of every process, without a restart.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.conf import settings

from core import audit, history, options, signals
from core.audit import Action
from core.models import Setting
from core.options import OptionError, Options

__all__ = [
    "OptionError",
    "Options",
    "State",
    "change",
    "current",
    "describe",
    "reset",
    "revert",
    "state",
    "with_change",
]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """One runtime setting as an operator sees it. `source` is database, environment or default.

    `environment` is what the environment says, in force or not; None when it says nothing. `change` is the
    newest entry of the history, which may be a reset; 0 when there is none.
    """

    name: str
    value: Any
    source: str
    default: Any
    environment: Any
    kind: str
    allowed: str
    help: str
    change: int = 0
    changed_at: datetime | None = None
    changed_by: str = ""
    comment: str = ""


def current() -> Options:
    """All runtime settings, for one decision. One query."""
    return _options(_in_force())


def with_change(values: Options, name: str, raw: object) -> Options:
    """What `values` would be if `name` were `raw`. Raises OptionError."""
    said = options.parse(name, raw)
    return replace(values, **{options.NAMES[name]: said})


def describe() -> list[State]:
    """Every setting with its value and where it comes from, in the order of declaration."""
    rows, environment = _rows(), _from_environment()
    return [_state(name, rows.get(name), environment) for name in options.NAMES]


def state(name: str) -> State:
    """One setting. Raises OptionError for a name that is none."""
    options.kind_of(name)
    return _state(name, _rows(name).get(name), _from_environment())


def change(name: str, raw: object, *, by: str, at: datetime, comment: str = "") -> State:
    """Set `name` for all processes. Raises OptionError, and then nothing is written; and history.Contended.

    To say what holds already writes nothing, but tells whoever listens once more: a process that was killed
    before it had acted on the change leaves that to the next one.
    """
    with _audited(Action.SETTING_CHANGE, name, comment):
        history.write(name, options.parse(name, raw), by=by, at=at, comment=comment)
    return _told(name, by, at)


def reset(name: str, *, by: str, at: datetime, comment: str = "") -> State:
    """Take the operator's word back: environment or default hold again. Raises as `change`."""
    options.kind_of(name)
    with _audited(Action.SETTING_RESET, name, comment):
        history.write(name, None, by=by, at=at, comment=comment)
    return _told(name, by, at)


def revert(name: str, to: int, *, by: str, at: datetime, comment: str = "") -> State:
    """Let what an earlier entry of the history said hold again; that is one more entry.

    Raises history.UnknownChange, and as `change`: what was allowed then may not be any more.
    """
    options.kind_of(name)
    with _audited(Action.SETTING_REVERT, name, comment):
        said = history.find(name, to).after
        value = None if said is None else options.parse(name, said)
        history.write(name, value, by=by, at=at, comment=comment, reverts_to=to)
    return _told(name, by, at)


@contextmanager
def _audited(action: Action, name: str, why: str) -> Iterator[None]:
    with audit.act(action, name, why=why) as deed:
        before = _words(name)
        yield
        deed.changed(before, _words(name))


def _words(name: str) -> dict[str, Any]:
    now = state(name)
    return {"value": now.value, "source": now.source, "change": now.change}


def _told(name: str, by: str, at: datetime) -> State:
    signals.setting_changed.send(sender=Setting, name=name, by=by, at=at)
    return state(name)


def _in_force() -> dict[str, Any]:
    said = {row.name: row.value for row in _rows().values() if row.value is not None}
    return {**_from_environment(), **said}


def _options(values: dict[str, Any]) -> Options:
    return Options(**{options.NAMES[name]: value for name, value in values.items()})


def _rows(*names: str) -> dict[str, Setting]:
    """The rows that still make sense: an option that left the code, or whose bounds moved, is passed over."""
    rows = {}
    for row in Setting.objects.filter(pk__in=names) if names else Setting.objects.all():
        try:
            row.value = None if row.value is None else options.parse(row.name, row.value)
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
    if row is not None and row.value is not None:
        value, source = row.value, "database"
    kind = options.kind_of(name)
    return State(
        name=name,
        value=value,
        source=source,
        default=default,
        environment=environment.get(name),
        kind=kind.name,
        allowed=kind.allowed,
        help=options.help_of(name),
        change=row.seq if row else 0,
        changed_at=row.changed_at if row else None,
        changed_by=row.changed_by if row else "",
        comment=row.comment if row else "",
    )
