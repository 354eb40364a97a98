"""How long runs and logs are kept. What is older MongoDB deletes by itself, and `ingestion.prune` elsewhere.

Both go by the figures here, which stand in the indexes: to change one is a migration.
"""

from __future__ import annotations

from datetime import timedelta

LOGS_KEPT = timedelta(days=30)
RUNS_KEPT = timedelta(days=30)
TICKS_KEPT = timedelta(days=1)
"""A tick runs every minute and rarely has news. One that failed is kept as long as other runs."""
DAYS_KEPT = timedelta(days=30)
"""Figures of a day. What they were counted from goes when they do."""
