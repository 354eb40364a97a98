"""Stream versions and the switch log in the admin: to read. What acts on a movie is in `ingestion.admin`."""

from streaming.admin import switches, versions

__all__ = ["switches", "versions"]
