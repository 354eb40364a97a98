"""Values from outside made to fit our columns."""

from __future__ import annotations

from typing import Any

from django.db.models import CharField, Model


def fitted(model: type[Model], columns: dict[str, Any]) -> dict[str, Any]:
    """Texts cut to what their columns hold: a long attribution is no reason to lose a stream."""
    room = {f.name: f.max_length for f in model._meta.get_fields() if isinstance(f, CharField)}
    return {name: value[: room[name]] if name in room else value for name, value in columns.items()}
