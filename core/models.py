"""What every app shares. A setting's row is an operator's newest word on it; no row means nobody spoke.

The older words lie beside it, each for ever. All of them are written by `core.conf` alone.
"""

from __future__ import annotations

from typing import Any

from django.db import models


class Word(models.Model):
    """What an operator said of a setting, once. A `value` of null: environment or default hold again."""

    seq = models.PositiveIntegerField(default=1)
    value = models.JSONField(null=True)
    before = models.JSONField(null=True)
    changed_at = models.DateTimeField()
    changed_by = models.CharField(max_length=150, blank=True)
    comment = models.CharField(max_length=300, blank=True)
    reverts_to = models.PositiveIntegerField(null=True, help_text="The change whose value this one took.")

    class Meta:
        abstract = True


class Setting(Word):
    """A runtime setting that an operator changed, as their newest word leaves it."""

    name = models.CharField(primary_key=True, max_length=64, db_column="_id")

    class Meta:
        verbose_name = "changed setting"

    def __str__(self) -> str:
        return self.name


class SettingChange(Word):
    """A word on a setting that a newer one has replaced. Never changed or deleted."""

    id = models.CharField(primary_key=True, max_length=80, db_column="_id")
    name = models.CharField(max_length=64)

    class Meta:
        indexes = [models.Index(fields=["name", "-seq"], name="setting_change_by_setting")]

    def __str__(self) -> str:
        return self.id

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert the row. One that is there already is an IntegrityError."""
        super().save(*args, **{**kwargs, "force_insert": True})

    @staticmethod
    def key_for(name: str, seq: int) -> str:
        return f"{name}:{seq}"
