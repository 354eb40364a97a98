"""The shapes of answers that every room shares, and of those of `core`. Declarations alone."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.api.contract import Shape
from core.roles import Role

A_MOMENT = "2026-11-22T16:40:02Z"


@extend_schema_field({"type": ["boolean", "number", "string"]})
class Value(serializers.JSONField):
    """What a runtime setting may be."""


@extend_schema_field({"type": ["boolean", "number", "string", "null"]})
class ValueOrNone(serializers.JSONField):
    """The same, or nothing said."""


class Word(serializers.ChoiceField):
    """One of these words."""

    def __init__(self, words: Any, **facts: Any) -> None:
        super().__init__(choices=[str(getattr(word, "value", word)) for word in words], **facts)


class Document(Shape):
    """An OpenAPI document."""

    openapi = serializers.CharField()
    info = serializers.DictField()
    tags = serializers.ListField(child=serializers.DictField())
    paths = serializers.DictField()
    components = serializers.DictField()

    example = {
        "openapi": "3.1.0",
        "info": {"title": "Marquee", "version": "0.1.0"},
        "tags": [],
        "paths": {},
        "components": {},
    }


class Problem(Shape):
    """What went wrong (RFC 9457)."""

    type = serializers.CharField(help_text="Always `about:blank`: the status says what kind it is.")
    title = serializers.CharField(help_text="The status in words.")
    status = serializers.IntegerField(min_value=400, max_value=599)
    detail = serializers.CharField(help_text="A sentence for a person.")
    reason = serializers.CharField(required=False, help_text="A word for a program.")
    errors_ = serializers.DictField(
        required=False, help_text="What is wrong, field by field, with what is allowed."
    )
    reasons = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="Why a version cannot be played."
    )
    checks = serializers.DictField(
        child=serializers.CharField(), required=False, help_text="By part, `ok` or what it lacks."
    )
    request_id = serializers.CharField(required=False, help_text="What the request is called in the log.")


class Tokens(Shape):
    access = serializers.CharField(help_text="For `Authorization: Bearer`; lasts minutes.")
    refresh = serializers.CharField(help_text="Opens one new pair.")

    example = {"access": "eyJhbGciOiJIUzI1NiJ9.e30.access", "refresh": "eyJhbGciOiJIUzI1NiJ9.e30.refresh"}


class Account(Shape):
    id = serializers.IntegerField()
    username = serializers.CharField()
    roles = serializers.ListField(child=Word(Role))

    example = {"id": 1, "username": "ada", "roles": ["editor", "viewer"]}


class NewAccount(Account, Tokens):
    """An account that has just been made, and is signed in."""

    example = {**Account.example, "roles": [], **Tokens.example}


class Setting(Shape):
    """A runtime setting, its value and where that comes from."""

    key = serializers.CharField()
    value = Value(help_text="What holds.")
    source_ = Word(["database", "environment", "default"])
    default_ = Value(help_text="What holds when nobody says anything.")
    environment = ValueOrNone(help_text="What the environment says, in force or not.")
    kind = Word(["boolean", "integer", "number", "choice", "text", "cron"])
    allowed = serializers.CharField(help_text="In words.")
    help = serializers.CharField()
    change = serializers.IntegerField(min_value=0, help_text="The newest entry of its history; 0: none.")
    changed_at = serializers.DateTimeField(allow_null=True)
    changed_by = serializers.CharField()
    comment = serializers.CharField()

    example = {
        "key": "TARGET_QUALITY",
        "value": "1080p",
        "source": "database",
        "default": "2160p",
        "environment": None,
        "kind": "choice",
        "allowed": "one of CAM, SD, 720p, 1080p, 1440p, 2160p",
        "help": "The search for better streams of a movie ends once it has this quality.",
        "change": 3,
        "changed_at": A_MOMENT,
        "changed_by": "grace",
        "comment": "Our screens show no more.",
    }


class SettingEntry(Shape):
    """One entry of a setting's history. Null, before or after: the environment's value or the default."""

    change = serializers.IntegerField(min_value=1)
    before = ValueOrNone()
    after = ValueOrNone()
    at = serializers.DateTimeField()
    by = serializers.CharField()
    comment = serializers.CharField()
    reverts_to = serializers.IntegerField(
        allow_null=True, help_text="The entry that holds again by this one."
    )

    example = {
        "change": 3,
        "before": "2160p",
        "after": "1080p",
        "at": A_MOMENT,
        "by": "grace",
        "comment": "Our screens show no more.",
        "reverts_to": None,
    }


class Alive(Shape):
    status = Word(["ok"])

    example = {"status": "ok"}


class Ready(Shape):
    status = Word(["ok", "degraded"])
    checks = serializers.DictField(child=serializers.CharField())
    warnings = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="What somebody should see to."
    )

    example = {"status": "ok", "checks": {"database": "ok", "broker": "ok"}}
