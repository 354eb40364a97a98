"""docs/monitoring.md names every metric that there is, and no other."""

from __future__ import annotations

import re
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from config.env import BASE_DIR
from ingestion import metrics, status

PAGE = (BASE_DIR / "docs" / "monitoring.md").read_text()
NAME = re.compile(r"\bmarquee_[a-z_]+")


@pytest.mark.django_db(transaction=True)
def test_every_metric_is_on_the_page_and_the_page_names_no_other(
    valkey: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics, "ANSWER_WITHIN_S", 60.0)
    monkeypatch.setattr(status, "PING_S", 0.01)
    monkeypatch.setattr(metrics, "_process_gauges", {})
    metrics.of_this_process("marquee_event_streams_open", "As config.asgi adds it.", lambda: 0)
    families = text_string_to_metric_families(metrics.text().decode())
    assert {family.name for family in families} == set(NAME.findall(PAGE))


def test_every_alert_asks_for_a_metric_and_says_what_it_means() -> None:
    alerts = re.split(r"- alert: ", PAGE)[1:]
    assert len(alerts) >= 5
    for alert in alerts:
        assert re.search(r"expr: .*\bmarquee_[a-z_]+", alert), alert
        assert re.search(r'annotations: \{summary: ".+"\}', alert), alert
