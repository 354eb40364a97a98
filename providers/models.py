"""Configured providers: an adapter, an operator's settings for it, and how it has been doing lately."""

from __future__ import annotations

from django.db import models


class Provider(models.Model):
    """One configured instance of an adapter. The slug is for ever; everything else may change.

    `config` holds the adapter's own fields. `backoff_until` is set by failures: a provider that backs off
    is not asked, but its streams stay eligible; a disabled one's do not.
    """

    slug = models.SlugField(primary_key=True, db_column="_id")
    label = models.CharField(max_length=80)
    adapter = models.CharField(max_length=40)
    enabled = models.BooleanField(default=False, help_text="Off: not searched, and its streams are left.")
    priority = models.PositiveSmallIntegerField(default=100, help_text="Lower is preferred at equal quality.")
    config = models.JSONField(default=dict, blank=True)
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

    @property
    def reliability(self) -> float:
        """0 to 1, how often it answers, how true its claims prove, and how fast it is. Feeds the ranking.

        In tenths, so that one slip does not turn a ranking over. Latency costs nothing up to a second, and
        half at the 15 seconds after which a request is given up.
        """
        slowness = min(max(self.latency_ms - 1_000, 0), 14_000) / 14_000
        return round(self.success_rate * self.honesty * (1 - slowness / 2), 1)
