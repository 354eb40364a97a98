"""What requests may say: in a body or in a query, every member is known or refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, NoReturn

from django.http import QueryDict
from rest_framework import serializers


class Strict(serializers.Serializer[None]):
    """Refuses members that it does not know: a misspelt `if_seq` must not pass for none at all.

    `example` is what somebody might send.
    """

    example: ClassVar[dict[str, Any] | None] = None

    @classmethod
    def read(cls, data: Any, **context: Any) -> dict[str, Any]:
        """The valid values of `data`. Raises ValidationError, field by field.

        To DRF an empty value of a query means none, as in a form: `?job=` would ask for every job.
        """
        asked = cls(data=data.dict() if isinstance(data, QueryDict) else data, context=context)
        asked.is_valid(raise_exception=True)
        return dict(asked.validated_data)

    def to_internal_value(self, data: Any) -> Any:
        unknown = sorted(set(data) - set(self.fields)) if isinstance(data, Mapping) else []
        if unknown:
            known = ", ".join(self.fields) or "none"
            raise serializers.ValidationError(
                {name[:40]: [f"Unknown. Known: {known}."] for name in unknown[:10]}
            )
        return super().to_internal_value(data)


class Text(serializers.CharField):
    """A string and nothing else: DRF's own takes numbers for their digits."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Choice(serializers.ChoiceField):
    """One of a closed list of words. Whoever says another is told them all."""

    def fail(self, key: str, **kwargs: Any) -> NoReturn:
        if key == "invalid_choice":
            allowed = ", ".join(str(choice) for choice in self.choices)
            raise serializers.ValidationError(f"There is no such choice. There are: {allowed}.", code=key)
        super().fail(key, **kwargs)


class Nothing(Strict):
    """Where there is nothing to be said: who says something all the same expects what will not happen."""
