"""The shapes of answers that every room shares, and of those of `core`. Declarations alone."""

from __future__ import annotations

from rest_framework import serializers

from core.api.contract import Shape


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
