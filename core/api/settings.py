"""The runtime settings over HTTP: viewers read them and their history, operators change them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core import conf, history, options
from core.api import shapes
from core.api.contract import Tag, many, operation
from core.permissions import IsOperator, IsViewer, OperatorWrites
from core.problems import Problem
from core.serializers import Strict

CONTENDED = Problem(409, "TARGET_QUALITY is being changed by others all the time.", reason="contended")
UNKNOWN = Problem(404, "There is no setting 'TARGET'. There are: …", reason="not_found")


class SettingChange(Strict):
    example = {"key": "TARGET_QUALITY", "value": "1080p", "comment": "Our screens show no more."}

    key = serializers.CharField(max_length=64)
    value = shapes.Value()
    comment = serializers.CharField(max_length=300, required=False, allow_blank=True)

    def validate_key(self, key: str) -> str:
        try:
            options.kind_of(key)
        except conf.OptionError as error:
            raise serializers.ValidationError(str(error)) from None
        return key


class SettingReversion(Strict):
    """What that entry of the history says is to hold again."""

    example = {"change": 3}

    change = serializers.IntegerField(min_value=1, max_value=2**31 - 1)
    comment = serializers.CharField(max_length=300, required=False, allow_blank=True)


class NoQuery(Strict):
    """A change that asks for something by its query would be made without it."""


class SettingList(APIView):
    """POST is `ingestion.api.settings`: it can say what would switch."""

    permission_classes = [OperatorWrites]

    @operation("listSettings", Tag.SETTINGS, many(shapes.Setting))
    def get(self, request: Request) -> Response:
        """All runtime settings.

        What holds, where that comes from, and what is allowed.
        """
        return Response([setting_body(state) for state in conf.describe()])

    @staticmethod
    def change(request: Request, *, key: str, value: Any, comment: str = "") -> Response:
        """Make one change, and show what holds now."""
        with refusals("value"):
            return Response(setting_body(conf.change(key, value, comment=comment, **_said(request))))


class SettingDetail(APIView):
    permission_classes = [OperatorWrites]

    @operation("getSetting", Tag.SETTINGS, shapes.Setting, refuses=[UNKNOWN])
    def get(self, request: Request, key: str) -> Response:
        """One runtime setting.

        What holds, where that comes from, and what is allowed.
        """
        return Response(setting_body(_known(key)))

    @operation("resetSetting", Tag.SETTINGS, shapes.Setting, query=NoQuery, refuses=[UNKNOWN, CONTENDED])
    def delete(self, request: Request, key: str) -> Response:
        """Take an operator's word back.

        The environment's value or the default holds again.
        """
        NoQuery.read(request.query_params)
        _known(key)
        with refusals():
            return Response(setting_body(conf.reset(key, **_said(request))))


class SettingHistory(APIView):
    permission_classes = [IsViewer]

    @operation("getSettingHistory", Tag.SETTINGS, many(shapes.SettingEntry), refuses=[UNKNOWN])
    def get(self, request: Request, key: str) -> Response:
        """Who set it to what.

        The newest 200 entries, the newest first.
        """
        _known(key)
        return Response([asdict(entry) for entry in history.of(key)])


class SettingRevert(APIView):
    permission_classes = [IsOperator]

    @operation(
        "revertSetting",
        Tag.SETTINGS,
        shapes.Setting,
        query=NoQuery,
        body=SettingReversion,
        refuses=[UNKNOWN, CONTENDED],
    )
    def post(self, request: Request, key: str) -> Response:
        """Let an entry of the history hold again.

        That is one more change, and one more entry.
        """
        NoQuery.read(request.query_params)
        _known(key)
        asked = SettingReversion.read(request.data)
        comment = asked.get("comment", "")
        with refusals("change"):
            state = conf.revert(key, asked["change"], comment=comment, **_said(request))
        return Response(setting_body(state))


@contextmanager
def refusals(field: str = "") -> Iterator[None]:
    """What `core.conf` refuses: 400 at `field` with what is allowed, or 409 when others were faster."""
    try:
        yield
    except (conf.OptionError, history.UnknownChange) as error:
        raise serializers.ValidationError({field: [str(error)]}) from None
    except history.Contended as error:
        raise Problem(409, str(error), reason="contended") from None


def setting_body(state: conf.State) -> dict[str, Any]:
    """One setting, as the API shows it."""
    shown = asdict(state)
    return {"key": shown.pop("name"), **shown}


def _known(key: str) -> conf.State:
    try:
        return conf.state(key)
    except conf.OptionError as error:
        raise Problem(404, str(error), reason="not_found") from None


def _said(request: Request) -> dict[str, Any]:
    return {"by": request.user.get_username(), "at": timezone.now()}
