"""MongoDB's own deleting of old documents, stayed: tests have a time of their own, and it the real one."""

from __future__ import annotations

from django.db import connections

NEVER = 2**31 - 1
"""The longest that MongoDB takes, in seconds: some 68 years."""


def stay(alias: str) -> None:
    """Let the TTL indexes of this database delete nothing. What tests them makes them anew."""
    database = connections[alias].database
    for name in database.list_collection_names():
        for index, details in database[name].index_information().items():
            if "expireAfterSeconds" in details:
                database.command("collMod", name, index={"name": index, "expireAfterSeconds": NEVER})
