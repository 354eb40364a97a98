"""What a database that is away, or too slow, looks like: the same whichever of the three it is."""

from __future__ import annotations

from django.db import InterfaceError, OperationalError
from pymongo.errors import ConnectionFailure, ExecutionTimeout, WTimeoutError

OUTAGES = (OperationalError, InterfaceError, ConnectionFailure, ExecutionTimeout, WTimeoutError)
"""Every other error of a database is an answer, and says that we asked for nonsense: a bug.

The last three are for whoever asks MongoDB past the ORM.
"""

RETRY_AFTER_S = 5
"""When it is worth to try again, as a client is told."""
