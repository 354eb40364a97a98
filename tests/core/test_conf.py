"""The settings in force: database over environment over default, afresh in every process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connections

from core import conf, options, signals
from core.models import Setting
from core.options import DEFAULTS, OptionError
from tests.queries import costs

AT = datetime(2026, 5, 1, 12, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def state(name: str) -> conf.State:
    return next(state for state in conf.describe() if state.name == name)


def test_without_a_word_from_anyone_the_defaults_hold() -> None:
    assert conf.current() == DEFAULTS
    assert {s.source for s in conf.describe()} == {"default"}
    assert [s.name for s in conf.describe()] == list(options.NAMES)


def test_the_environment_stands_above_the_default(settings: Any) -> None:
    settings.OPTIONS_FROM_ENV = {"DISCOVER_PAGES": 7}
    assert conf.current().discover_pages == 7
    assert (state("DISCOVER_PAGES").source, state("DISCOVER_PAGES").default) == ("environment", 2)


def test_an_operators_word_stands_above_both_until_it_is_taken_back(settings: Any) -> None:
    settings.OPTIONS_FROM_ENV = {"DISCOVER_PAGES": 7}
    changed = conf.change("DISCOVER_PAGES", "9", by="ada", at=AT)
    assert conf.current().discover_pages == 9
    assert changed == state("DISCOVER_PAGES")
    assert (changed.value, changed.source, changed.changed_by, changed.changed_at) == (
        9,
        "database",
        "ada",
        AT,
    )
    assert conf.reset("DISCOVER_PAGES", by="ada", at=AT) == state("DISCOVER_PAGES")
    assert (conf.current().discover_pages, state("DISCOVER_PAGES").source) == (7, "environment")


def test_a_refused_value_writes_nothing_and_tells_nobody() -> None:
    told: list[str] = []

    def listen(*, name: str, **_: Any) -> None:
        told.append(name)

    signals.setting_changed.connect(listen)
    for name, value in (("DISCOVER_PAGES", 0), ("NOTHING", 1)):
        with pytest.raises(OptionError):
            conf.change(name, value, by="ada", at=AT)
    with pytest.raises(OptionError):
        conf.reset("NOTHING", by="ada", at=AT)
    assert not Setting.objects.exists()
    assert told == []
    conf.change("DISCOVER_PAGES", 3, by="ada", at=AT)
    conf.reset("DISCOVER_PAGES", by="ada", at=AT)
    assert told == ["DISCOVER_PAGES"] * 2


def test_stored_nonsense_is_passed_over_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    for name, value in (("DISCOVER_PAGES", 10_000), ("LEFT_THE_CODE", 1), ("TARGET_QUALITY", {"a": [None]})):
        Setting.objects.create(name=name, value=value, changed_at=AT)
    assert conf.current() == DEFAULTS
    assert state("DISCOVER_PAGES").source == "default"
    assert "DISCOVER_PAGES is a whole number from 1 to 50; 10000 is not." in caplog.text
    assert "LEFT_THE_CODE" in caplog.text


def test_all_settings_cost_one_query() -> None:
    with costs(1):
        conf.current()


OTHER_PROCESS = """
import json, os
from django.conf import settings
for alias, name in json.loads(os.environ["TEST_DATABASES"]).items():
    settings.DATABASES[alias]["NAME"] = name
import django
django.setup()
from core import conf
while True:
    print(conf.current().target_quality, flush=True)
    if not input():
        break
"""


@pytest.mark.django_db(transaction=True)
def test_a_process_that_is_running_sees_a_change(tmp_path: Any) -> None:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATA_DIR": str(tmp_path),
        "TEST_DATABASES": json.dumps(
            {alias: str(connections[alias].settings_dict["NAME"]) for alias in connections}
        ),
    }
    with subprocess.Popen(
        [sys.executable, "-c", OTHER_PROCESS],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        assert other.stdout.readline() == "2160p\n"
        conf.change("TARGET_QUALITY", "720p", by="ada", at=AT)
        print("again", file=other.stdin, flush=True)
        assert other.stdout.readline() == "720p\n"
        print("", file=other.stdin, flush=True)
        other.wait(10)


def test_a_change_that_is_tried_differs_from_what_holds_by_that_alone() -> None:
    """Also when others change settings meanwhile: nothing is read a second time."""
    before = conf.current()
    with costs(0):
        after = conf.with_change(before, "TARGET_QUALITY", "1080p")
    assert after == replace(before, target_quality="1080p")
    with pytest.raises(OptionError, match="NOT_ONE"):
        conf.with_change(before, "NOT_ONE", "1")
