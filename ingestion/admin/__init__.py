"""Movies with all that an editor can do, jobs with runs, logs and schedule, failing providers, settings."""

from ingestion.admin import audit, movies, providers, runs, schedules, settings

__all__ = ["audit", "movies", "providers", "runs", "schedules", "settings"]
