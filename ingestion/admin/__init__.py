"""Movies with all that an editor can do to them, and the runs and logs of jobs."""

from ingestion.admin import movies, runs

__all__ = ["movies", "runs"]
