"""Configured providers: an adapter, an operator's settings for it, and how it has been doing lately."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from django.db import models

from core.expiry import Expiry
from providers.guard import on_list, plain

HOURS_KEPT = timedelta(days=30)
"""What is older MongoDB deletes by itself, and `ingestion.prune` elsewhere: it stands in the index."""


class Provider(models.Model):
    """One configured instance of an adapter. The slug is for ever; everything else may change.

    `config` holds the adapter's own fields but for the secret ones: those are in `secrets`, encrypted.
    `backoff_until` is set by failures: a provider that backs off is not asked, but its streams stay eligible;
    a disabled one's do not. Once that moment has passed one question is let through, and `trial_until` says
    for how long its asker is waited for. `blamed_at` is set while so many of its streams fail together that
    it is held to be the cause (`blame` says of what), and not the streams.
    """

    slug = models.SlugField(primary_key=True, db_column="_id")
    label = models.CharField(max_length=80)
    adapter = models.CharField(max_length=40)
    enabled = models.BooleanField(default=False, help_text="Off: not searched, and its streams are left.")
    priority = models.PositiveSmallIntegerField(default=100, help_text="Lower is preferred at equal quality.")
    config = models.JSONField(default=dict, blank=True)
    secrets = models.JSONField(default=dict, blank=True, editable=False)
    allowed_hosts = models.JSONField(
        default=list, blank=True, help_text="Hosts that its streams may be on. Empty: any public host."
    )
    trust_claims = models.BooleanField(
        default=False, help_text="Believe the quality that it claims where nothing can be measured."
    )
    rate_limit_rps = models.FloatField(
        null=True, blank=True, help_text="Requests per second. Empty: RATE_LIMIT_RPS."
    )
    licence_note = models.TextField(blank=True, help_text="The licence that lets us stream from here.")

    backoff_rung = models.PositiveSmallIntegerField(default=0, editable=False)
    backoff_until = models.DateTimeField(null=True, editable=False)
    trial_until = models.DateTimeField(null=True, editable=False)
    blamed_at = models.DateTimeField(null=True, editable=False)
    blame = models.TextField(blank=True, editable=False)
    success_rate = models.FloatField(default=1.0, editable=False)
    latency_ms = models.FloatField(default=0.0, editable=False)
    honesty = models.FloatField(default=1.0, editable=False)
    last_ok_at = models.DateTimeField(null=True, editable=False)
    last_error_at = models.DateTimeField(null=True, editable=False)
    last_error = models.TextField(blank=True, editable=False)

    class Meta:
        ordering = ["priority", "slug"]

    def __str__(self) -> str:
        return self.label

    def may_serve_from(self, url: str) -> bool:
        """Whether its streams may be on the host of this URL: `allowed_hosts` name it, or are empty, or it is
        where the operator has said that the provider is."""
        urls = [value for value in self.config.values() if str(value).startswith(("http://", "https://"))]
        entered = [host for value in urls if (host := urlsplit(value).hostname)]
        hosts = [plain(host) for host in (*self.allowed_hosts, *entered)]
        return not self.allowed_hosts or on_list(plain(urlsplit(url).hostname or ""), hosts)

    @property
    def reliability(self) -> float:
        """0 to 1, how often it answers, how true its claims prove, and how fast it is. Feeds the ranking.

        In tenths, so that one slip does not turn a ranking over. Latency costs nothing up to a second, and
        half at the 15 seconds after which a request is given up.
        """
        slowness = min(max(self.latency_ms - 1_000, 0), 14_000) / 14_000
        return round(self.success_rate * self.honesty * (1 - slowness / 2), 1)

    @property
    def scores(self) -> dict[str, float]:
        """How it has been doing: `honesty` is how often its claims proved true, `reliability` all in one."""
        return {
            "reliability": self.reliability,
            "success_rate": round(self.success_rate, 3),
            "honesty": round(self.honesty, 3),
            "latency_ms": round(self.latency_ms),
        }


class ProviderHour(models.Model):
    """What came of one provider's hour, in counters that many processes raise at once.

    `answered` and `failed` count searches, `latency_ms` is the sum over the answered ones; `probes` counts
    those that told something, `probes_failed` those of them that found no stream; `claims` counts claims that
    could be checked against what was measured, `claims_kept` those that proved true.
    """

    key = models.CharField(primary_key=True, max_length=64, db_column="_id")
    hour = models.DateTimeField()
    answered = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    latency_ms = models.PositiveBigIntegerField(default=0)
    probes = models.PositiveIntegerField(default=0)
    probes_failed = models.PositiveIntegerField(default=0)
    claims = models.PositiveIntegerField(default=0)
    claims_kept = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = [Expiry(fields=["hour"], name="provider_hour_by_time", after=HOURS_KEPT)]

    def __str__(self) -> str:
        return self.key

    @property
    def slug(self) -> str:
        return self.key.partition(":")[0]

    @staticmethod
    def key_for(slug: str, at: datetime) -> str:
        """The key of the hour that `at` falls into."""
        return f"{slug}:{at.astimezone(UTC):%Y-%m-%dT%H}"


COUNTERS = ("answered", "failed", "latency_ms", "probes", "probes_failed", "claims", "claims_kept")
