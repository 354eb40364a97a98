"""Movies with all that an editor can do to them, the runs and logs of jobs, and providers that fail."""

from ingestion.admin import movies, providers, runs

__all__ = ["movies", "providers", "runs"]
