"""What PyMongo raises, as the errors of `django.db` that every caller knows. Nothing is retried here.

Upstream lets errors through raw while it reads from a cursor or looks at the schema, and makes a wordless
`DatabaseError` of all the rest: who waits for an OperationalError, to answer 503, would never see one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError, IntegrityError, OperationalError
from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    CursorNotFound,
    DuplicateKeyError,
    PyMongoError,
    WriteConcernError,
)

_DUPLICATE_KEY = 11000
_AWAY = (ConnectionFailure, WriteConcernError, CursorNotFound)


@contextmanager
def translated() -> Iterator[None]:
    """Raise what PyMongo raises as the `django.db` error of its kind, with its words."""
    try:
        yield
    except PyMongoError as error:
        raise kind_of(error)(str(error)) from error
    except DatabaseError as error:
        if isinstance(cause := error.__cause__, PyMongoError):
            raise kind_of(cause)(str(cause)) from cause
        raise


def kind_of(error: PyMongoError) -> type[DatabaseError]:
    """OperationalError where the server is away, is no primary (any more) or was not done in time, or has
    been away: one that was started anew knows no cursor of before."""
    if isinstance(error, DuplicateKeyError) or _DUPLICATE_KEY in _codes(error):
        return IntegrityError
    unsure = isinstance(error, BulkWriteError) and not (error.details or {}).get("writeErrors")
    if error.timeout or unsure or isinstance(error, _AWAY):
        return OperationalError
    return DatabaseError


def _codes(error: PyMongoError) -> set[int]:
    """Why writes of a batch failed. One that was made, but not acknowledged in time, is not among them."""
    details = error.details or {} if isinstance(error, BulkWriteError) else {}
    return {failed["code"] for failed in details.get("writeErrors", ())}
