"""Movies with all that an editor can do to them, runs and logs of jobs, providers that fail, settings."""

from ingestion.admin import movies, providers, runs, settings

__all__ = ["movies", "providers", "runs", "settings"]
