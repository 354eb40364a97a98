"""What an answer to an attack may be, and what may have come of it."""

from __future__ import annotations

import re
from typing import Any

from django.apps import apps
from django.conf import settings

LEAKS = re.compile(
    r"Traceback|File \"|\.py\b|site-packages|\bSELECT\b|\bINSERT\b|psycopg|pymongo|sqlite|django\."
    r"|rest_framework|\b(?:Operational|Data|Value|Type|Key|Index|Attribute|Unicode\w+)Error\b|ErrorDetail|/tmp/|/root|/home|/work"
)
"""What only our insides are called."""


def rows() -> dict[str, list[dict[str, Any]]]:
    """Everything that is written down, in whatever database, but for the record that somebody tried."""
    models = [model for model in apps.get_models() if model._meta.managed]
    known = {model._meta.label: sorted(model._default_manager.values(), key=str) for model in models}
    tried = {"begun", "refused"}
    audit = [row for row in known["core.AuditEntry"] if row["outcome"] not in tried]
    return {**known, "core.AuditEntry": [row for row in audit if row["action"] != "account.login_failed"]}


def faults(response: Any, *, sent: str = "") -> list[str]:
    """What is wrong with a refusal: its status, its form, what it tells."""
    wrong = []
    if not 400 <= response.status_code < 500:
        wrong.append(f"answered {response.status_code}")
    if response["Content-Type"] != "application/problem+json":
        wrong.append(f"as {response['Content-Type']}")
    elif not response.json().get("detail", "").strip():
        wrong.append("without a word")
    return [*wrong, *leaks(response, sent=sent)]


def leaks(response: Any, *, sent: str = "") -> list[str]:
    """What of our insides an answer shows that was not in the question."""
    text = b"".join(response) if response.streaming else response.content
    told = "\n".join([text.decode(errors="replace"), *map(str, response.headers.values())])
    found = {match[0] for match in LEAKS.finditer(told) if match[0] not in sent}
    keys = filter(
        None, [settings.SECRET_KEY, settings.SIMPLE_JWT["SIGNING_KEY"], *settings.PROVIDER_SECRET_KEYS]
    )
    return [f"tells {word!r}" for word in sorted(found)] + ["tells a key" for key in keys if key in told]
