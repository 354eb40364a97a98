"""What a row of the audit may hold: small, plain, storable everywhere, and no secret.

Works on values alone. Whoever records an act leaves secrets out; what slips through is masked here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings

from core.redact import MASK, beginning, is_sensitive

TEXT_CHARS = 500
ITEMS = 50
DEPTH = 4
_LARGEST = 2**63 - 1
SET, NOT_SET, SET_ANEW = "set", "not set", "set anew"
"""All that is ever said of a secret."""
_SAID_OF_SECRETS = frozenset({SET, NOT_SET, SET_ANEW})
_SAFE_NAMES = frozenset({"user", "username"})
"""Sensitive in a URL, and yet no secret of ours."""


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The members that differ, before and after. One that is on one side alone is on that side alone."""
    names = [
        name
        for name in {**before, **after}
        if name not in before or name not in after or before[name] != after[name]
    ]
    return (
        {name: before[name] for name in names if name in before},
        {name: after[name] for name in names if name in after},
    )


def members(values: Mapping[str, Any], depth: int = DEPTH) -> dict[str, Any]:
    """The values as they are kept: masked by name and by look, cut to size."""
    kept = {}
    for name, value in list(values.items())[:ITEMS]:
        key = text(str(name), 60).replace(".", "_").replace("$", "_")
        kept[key] = MASK if _hidden(str(name), value) else plain(value, depth - 1)
    return kept


def _hidden(name: str, value: Any) -> bool:
    """Whether a value is to be masked for the name that it goes by."""
    told = isinstance(value, str) and value != "" and value not in _SAID_OF_SECRETS
    return told and name not in _SAFE_NAMES and is_sensitive(name)


def plain(value: Any, depth: int = DEPTH) -> Any:
    """A value that JSON and each of the databases can hold."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value) if abs(value) <= _LARGEST else "a giant number"
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Mapping) and depth > 0:
        return members(value, depth)
    if isinstance(value, list | tuple | set | frozenset) and depth > 0:
        return [plain(each, depth - 1) for each in list(value)[:ITEMS]]
    return text(str(value))


def text(words: str, chars: int = TEXT_CHARS) -> str:
    """Words of anybody's as they are kept: NULs and halves of characters out, secrets masked, cut."""
    clean = words.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
    return beginning(clean, 2 * chars, list(_ours()))[:chars]


def _ours() -> Iterable[str]:
    """The secrets of this installation: somebody may paste one where it does not belong."""
    keys = ("SECRET_KEY", "METRICS_TOKEN", "TMDB_API_KEY")
    yield from (value for key in keys if (value := str(getattr(settings, key, "") or "")))
    yield from settings.PROVIDER_SECRET_KEYS
    yield from settings.JWT_SIGNING_KEYS
    yield from (str(each.get("PASSWORD") or "") for each in settings.DATABASES.values())
