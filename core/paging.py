"""Pages of rows that change: each goes on after the last row of the one before it, by that row's own values.

Nothing is counted or skipped by number, so a page costs the same however far down it is, and rows that come,
go or move meanwhile neither hide nor repeat one that stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, islice
from typing import Any, Generic, NamedTuple, TypeVar, cast

from django.core.signing import BadSignature, Signer
from django.db.models import Field, Model, Q, QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from core.serializers import Strict

Row = TypeVar("Row", bound=Model)

LINK = {"Link": 'The address of the next page, `rel="next"` (RFC 8288); absent with the last.'}
"""What the header of a list is, for those who declare it."""
HOW_MANY = "At most so many to a page."
LONGEST_CURSOR = 4000
"""A title of 300 characters, at worst, comes to half of it."""


class Paged(Strict):
    """What every list takes. Lists differ in how long a page may be, and so override `limit`."""

    limit = serializers.IntegerField(default=50, min_value=1, max_value=200, help_text=HOW_MANY)
    cursor = serializers.CharField(
        required=False,
        max_length=LONGEST_CURSOR,
        help_text="Where to go on: it stands in the address of the next page.",
    )

    @classmethod
    def read_apart(cls, data: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Which page is asked for (as `read` takes it), and the rest. Raises ValidationError."""
        asked = cls.read(data)
        return {name: asked.pop(name) for name in ("limit", "cursor") if name in asked}, asked


class Page(NamedTuple, Generic[Row]):
    """Some rows, and the address of the next page; None if these are the last."""

    rows: list[Row]
    next: str | None

    def response(self, body: Any) -> Response:
        """An answer whose `Link` header (RFC 8288) names the next page."""
        return Response(body, headers={"Link": f'<{self.next}>; rel="next"'} if self.next else None)


def read(
    request: Request, rows: QuerySet[Row], order: Sequence[str], *, limit: int, cursor: str = ""
) -> Page[Row]:
    """The page of `rows` that a request asks for. Raises ValidationError for a cursor that is not ours.

    `order` is a column and then the key, or the key alone, a `-` before what descends. Rows without a value
    come last, whichever way it goes: databases do not agree on where they belong.
    """
    after = _opened(cursor, rows.model, order) if cursor else None
    parts = (part[: limit + 1] for part in _parts(rows.order_by(*order), order, after))
    found = list(islice(chain.from_iterable(parts), limit + 1))
    if len(found) <= limit:
        return Page(found, None)
    further = _sealed(found[limit - 1], order)
    return Page(found[:limit], replace_query_param(request.build_absolute_uri(), "cursor", further))


def turned(order: Sequence[str]) -> tuple[str, ...]:
    """The same order from its other end: one index serves both."""
    return tuple(term.removeprefix("-") if term.startswith("-") else f"-{term}" for term in order)


def _parts(rows: QuerySet[Row], order: Sequence[str], after: list[Any] | None) -> list[QuerySet[Row]]:
    """The rows with a value, then those without one: each a range of one index."""
    *by, key = order
    if not by:
        return [rows.filter(_past(key, after[0])) if after else rows]
    column = _column(by[0])
    nullable = rows.model._meta.get_field(column).null
    valued, blank = (rows.filter(**{f"{column}__isnull": without}) for without in (False, True))
    if after is None:
        return [valued, blank] if nullable else [rows]
    value, last = after
    if value is None:
        return [blank.filter(_past(key, last))]
    # Told apart so that an index begins at the value: of an alternative alone it would read all.
    rest = rows.filter(_past(by[0], value, or_at=True), _past(by[0], value) | _past(key, last))
    return [rest, blank] if nullable else [rest]


def _past(term: str, value: Any, *, or_at: bool = False) -> Q:
    lookup = ("lt" if term.startswith("-") else "gt") + ("e" if or_at else "")
    return Q(**{f"{_column(term)}__{lookup}": value})


def _column(term: str) -> str:
    return term.removeprefix("-")


def _sealed(row: Model, order: Sequence[str]) -> str:
    """The place of a row in an order, signed: no database ever meets a value that did not come from it."""
    values = [
        None if getattr(row, field.attname) is None else field.value_to_string(row)
        for field in _fields(type(row), order)
    ]
    return _signer(type(row), order).sign_object(values, compress=True)


def _opened(cursor: str, model: type[Model], order: Sequence[str]) -> list[Any]:
    try:
        values = _signer(model, order).unsign_object(cursor)
    except BadSignature:
        said = "It is none of this list in this order. Take it from the address of the next page."
        raise serializers.ValidationError({"cursor": [said]}) from None
    pairs = zip(_fields(model, order), values, strict=True)
    return [None if value is None else field.to_python(value) for field, value in pairs]


def _fields(model: type[Model], order: Sequence[str]) -> list[Field[Any, Any]]:
    return [cast("Field[Any, Any]", model._meta.get_field(_column(term))) for term in order]


def _signer(model: type[Model], order: Sequence[str]) -> Signer:
    return Signer(salt=f"cursor of {model._meta.label} by {' '.join(order)}")
