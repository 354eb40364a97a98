"""What a change of the policy would do, before it is made: `POST /api/settings?dry_run=true`."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core import conf, options
from core.api.contract import Tag, operation
from core.api.settings import CONTENDED, SettingChange, SettingList, refusals
from core.api.shapes import Setting
from core.serializers import Strict
from ingestion.api import shapes
from streaming import rehearsal
from streaming.models import StreamVersion
from streaming.rehearsal import Difference, Effect, Rehearsal

WITHIN_S = 10.0
"""What a request may take; of a large catalogue the answer then says how far it came."""


class Asked(Strict):
    example = {"dry_run": True}

    dry_run = serializers.BooleanField(default=False, help_text="Say what it would do, and write nothing.")


class Settings(SettingList):
    @operation(
        "changeSetting",
        Tag.SETTINGS,
        (Setting, shapes.Rehearsal),
        query=Asked,
        body=SettingChange,
        refuses=[CONTENDED],
    )
    def post(self, request: Request) -> Response:
        """Change a setting.

        For all processes at once. With `dry_run` nothing is written: the answer says what that would switch.
        """
        dry_run = Asked.read(request.query_params)["dry_run"]
        wanted = SettingChange.read(request.data)
        if not dry_run:
            return self.change(request, **wanted)
        with refusals("value"):
            return Response(_rehearsed(wanted["key"], wanted["value"]))


def _rehearsed(key: str, value: Any) -> dict[str, Any]:
    """Raises OptionError, and ValidationError for a setting that moves no stream."""
    if key not in rehearsal.SETTINGS:
        moving = ", ".join(sorted(rehearsal.SETTINGS))
        raise serializers.ValidationError({"key": [f"{key} moves no stream. These do: {moving}."]})
    before = conf.current()
    after = conf.with_change(before, key, value)
    found = rehearsal.rehearse(before, after, at=timezone.now(), within_s=WITHIN_S)
    return {"key": key, "value": options.parse(key, value), **rehearsal_body(found)}


def rehearsal_body(found: Rehearsal) -> dict[str, Any]:
    """A rehearsal, as the API shows it."""
    return {
        "checked": found.checked,
        "total": found.total,
        "partial": found.partial,
        "by_itself": _counts(found, enforced=False),
        "enforced": _counts(found, enforced=True),
        "reasons": {
            f"no_longer_{reason}" if lifted else str(reason): count
            for (reason, lifted), count in sorted(found.reasons.items())
        },
        "movies": [_difference_body(difference) for difference in found.differences],
    }


def _counts(found: Rehearsal, *, enforced: bool) -> dict[str, int]:
    return {effect.value: found.effects[effect, enforced] for effect in Effect}


def _difference_body(each: Difference) -> dict[str, Any]:
    return {
        "movie": each.movie.pk,
        "title": each.movie.title,
        "effect": each.effect.value,
        "enforced": each.enforced,
        "from": _stream_body(each.now),
        "to": _stream_body(each.then),
        "why": each.why,
    }


def _stream_body(version: StreamVersion | None) -> dict[str, Any] | None:
    if version is None:
        return None
    return {"version": str(version.pk), "provider": version.provider_id, "quality": version.quality_label}
