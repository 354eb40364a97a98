"""The runtime settings over HTTP: viewers read them, operators change them."""

from __future__ import annotations

from dataclasses import asdict

from django.utils import timezone
from rest_framework import serializers
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core import conf, signals
from core.permissions import IsOperator, IsViewer
from core.problems import Problem


class Change(serializers.Serializer[None]):
    """`{"key": "TARGET_QUALITY", "value": "1080p"}`"""

    key = serializers.CharField(max_length=64)
    value = serializers.JSONField()


class SettingList(APIView):
    """GET all settings with their source; POST one change."""

    def get_permissions(self) -> list[BasePermission]:
        return [IsViewer() if self.request.method == "GET" else IsOperator()]

    def get(self, request: Request) -> Response:
        return Response([asdict(state) for state in conf.describe()])

    def post(self, request: Request) -> Response:
        change = Change(data=request.data)
        change.is_valid(raise_exception=True)
        key, value = change.validated_data["key"], change.validated_data["value"]
        try:
            state = conf.change(key, value, by=request.user.get_username(), at=timezone.now())
        except conf.OptionError as error:
            raise Problem(400, str(error), errors={"value": [str(error)]}) from None
        signals.setting_changed.send(sender=None, name=state.name)
        return Response(asdict(state))


class SettingDetail(APIView):
    """DELETE an operator's word: the environment's value or the default holds again."""

    permission_classes = [IsOperator]

    def delete(self, request: Request, key: str) -> Response:
        try:
            state = conf.reset(key)
        except conf.OptionError as error:
            raise Problem(404, str(error)) from None
        signals.setting_changed.send(sender=None, name=state.name)
        return Response(asdict(state))
