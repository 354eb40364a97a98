from core.routes import both
from ingestion.api import jobs, metrics, movies, settings, stats, streams

urlpatterns = [
    *both("api/movies", movies.Movies.as_view(), "movies"),
    *both("api/movies/<movie:movie_id>", movies.OneMovie.as_view(), "movie"),
    *both("api/movies/<movie:movie_id>/activate-stream", streams.ActivateStream.as_view(), "activate-stream"),
    *both("api/movies/<movie:movie_id>/rollback", streams.RollBack.as_view(), "rollback"),
    *both("api/movies/<movie:movie_id>/decision", streams.WhyThisOne.as_view(), "decision"),
    *both("api/movies/<movie:movie_id>/recheck", streams.Recheck.as_view(), "recheck"),
    *both(
        "api/movies/<movie:movie_id>/playback-reports", streams.PlaybackReports.as_view(), "playback-reports"
    ),
    *both("api/ingest/status", jobs.Status.as_view(), "ingest-status"),
    *both("api/ingest/run/<str:job>", jobs.RunJob.as_view(), "ingest-run"),
    *both("api/ingest/runs", jobs.Runs.as_view(), "ingest-runs"),
    *both("api/ingest/runs/<uuid:run_id>", jobs.Run.as_view(), "ingest-run-detail"),
    *both("api/ingest/logs", jobs.Logs.as_view(), "ingest-logs"),
    *both("metrics", metrics.Metrics.as_view(), "metrics"),
    *both("api/ingest/initialize", jobs.Initialize.as_view(), "ingest-initialize"),
    *both("api/stats", stats.Stats.as_view(), "stats"),
    *both("api/settings", settings.Settings.as_view(), "settings"),
]
