"""The runtime settings over HTTP: viewers read them, operators change them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core import conf, options
from core.permissions import OperatorWrites
from core.problems import Problem
from core.serializers import Strict


class Change(Strict):
    """`{"key": "TARGET_QUALITY", "value": "1080p"}`"""

    key = serializers.CharField(max_length=64)
    value = serializers.JSONField()

    def validate_key(self, key: str) -> str:
        try:
            options.kind_of(key)
        except conf.OptionError as error:
            raise serializers.ValidationError(str(error)) from None
        return key


class NoQuery(Strict):
    """A change that asks for something by its query would be made without it."""


class SettingList(APIView):
    """GET all settings with their source; POST one change."""

    permission_classes = [OperatorWrites]

    def get(self, request: Request) -> Response:
        return Response([setting_body(state) for state in conf.describe()])

    def post(self, request: Request) -> Response:
        NoQuery.read(request.query_params)
        wanted = Change.read(request.data)
        try:
            state = conf.change(
                wanted["key"], wanted["value"], by=request.user.get_username(), at=timezone.now()
            )
        except conf.OptionError as error:
            raise serializers.ValidationError({"value": [str(error)]}) from None
        return Response(setting_body(state))


class SettingDetail(APIView):
    """DELETE an operator's word: the environment's value or the default holds again."""

    permission_classes = [OperatorWrites]

    def delete(self, request: Request, key: str) -> Response:
        NoQuery.read(request.query_params)
        try:
            state = conf.reset(key)
        except conf.OptionError as error:
            raise Problem(404, str(error)) from None
        return Response(setting_body(state))


def setting_body(state: conf.State) -> dict[str, Any]:
    """One setting, as the API shows it."""
    shown = asdict(state)
    return {"key": shown.pop("name"), **shown}
