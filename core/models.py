"""What every app shares: the runtime settings that were changed, and the audit.

A setting's row is an operator's newest word on it; no row means nobody spoke. The older words lie beside it,
each for ever. All of them are written by `core.conf` alone, and rows of the audit by `core.audit`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NoReturn

from django.db import models

from core.doors import Door
from core.expiry import Expiry
from core.ids import uuid7


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


class AppendOnly(TypeError):
    """Somebody tried to change or delete what is only ever added to."""


class AppendOnlyQuerySet(models.QuerySet["AuditEntry"]):
    """Rows to read. (`core.audit.keeping` deletes those that are past their time, and nobody else any.)"""

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnly("The audit is only ever added to: no row is changed or deleted.")

    update = delete = bulk_update = update_or_create = _update = _refuse


class AuditEntry(models.Model):
    """One line of the audit. An act has two: one written ahead of it, and one that says how it ended.

    Both carry the key of the first as `act`. What had happened when it was recorded has one line, an end.
    Refused: nothing was written. Failed: perhaps half of it. Unknown: its process ended before it could say.
    """

    class Outcome(models.TextChoices):
        BEGUN = "begun"
        DONE = "done"
        REFUSED = "refused"
        FAILED = "failed"
        UNKNOWN = "unknown"

    id = models.UUIDField(primary_key=True, default=uuid7, db_column="_id", editable=False)
    act = models.UUIDField()
    at = models.DateTimeField()
    action = models.CharField(max_length=40)
    outcome = models.CharField(max_length=8, choices=Outcome)
    actor_id = models.CharField("account", max_length=40, blank=True)
    actor_name = models.CharField("who", max_length=150, blank=True)
    target_kind = models.CharField("kind", max_length=20)
    target_key = models.CharField("of what", max_length=150, blank=True)
    target_name = models.CharField("its name", max_length=200, blank=True)
    before = models.JSONField("from", default=dict)
    after = models.JSONField("to", default=dict)
    why = models.CharField(max_length=500, blank=True)
    error = models.CharField(max_length=500, blank=True)
    door = models.CharField(max_length=8, choices=Door)
    via = models.CharField(max_length=200, blank=True, help_text="Method and path, or the command.")
    address = models.CharField(max_length=64, blank=True, help_text="Of the peer; for a command, its host.")
    correlation_id = models.CharField(max_length=64, blank=True)

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "audit entries"
        base_manager_name = "objects"
        indexes = [
            models.Index(fields=["actor_name", "-id"], name="audit_by_actor"),
            models.Index(fields=["action", "-id"], name="audit_by_action"),
            models.Index(fields=["target_kind", "target_key", "-id"], name="audit_by_target"),
            models.Index(fields=["target_key", "-id"], name="audit_by_key"),
            models.Index(fields=["target_name", "-id"], name="audit_by_name"),
            models.Index(fields=["outcome", "-id"], name="audit_by_outcome"),
            models.Index(fields=["door", "-id"], name="audit_by_door"),
            models.Index(fields=["address", "-id"], name="audit_by_address"),
            models.Index(fields=["correlation_id", "-id"], name="audit_by_correlation"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.target_key}".strip()

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert the row. One that is there already is an IntegrityError."""
        super().save(*args, **{**kwargs, "force_insert": True})

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raises AppendOnly."""
        raise AppendOnly("The audit is only ever added to: no row is deleted.")


class TokenFamily(models.Model):
    """All tokens of one sign-in, which end when the row goes. Written by `core.tokens` alone.

    `seq` is the number of the one refresh token that counts; at `expires_at` that one is too old.
    """

    id = models.UUIDField(primary_key=True, editable=False, db_column="_id")
    seq = models.PositiveIntegerField()
    expires_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "token families"
        indexes = [Expiry(fields=["expires_at"], name="token_family_by_end", after=timedelta(0))]

    def __str__(self) -> str:
        return str(self.id)
