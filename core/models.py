"""What every app shares. A setting's row holds an operator's word; no row means environment or default."""

from __future__ import annotations

from django.db import models


class Setting(models.Model):
    """A runtime setting that an operator changed. Written by `core.conf` alone."""

    name = models.CharField(primary_key=True, max_length=64, db_column="_id")
    value = models.JSONField()
    changed_at = models.DateTimeField()
    changed_by = models.CharField(max_length=150, blank=True)

    class Meta:
        verbose_name = "changed setting"

    def __str__(self) -> str:
        return self.name
