"""One id from a request to everything that it sets off: taken or made, given back, logged, carried."""

from __future__ import annotations

import logging
import logging.config
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from core import correlation
from providers.bulkheads import Bulkheads
from tests.clients import assert_problem

MADE = r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"


def answered(given: str | None = None, path: str = "/nothing", **options: Any) -> str:
    headers = {} if given is None else {"X-Request-ID": given}
    id_: str = Client(**options).get(path, headers=headers)["X-Request-ID"]
    return id_


@pytest.mark.parametrize("given", ["7", "b" * 64, "Root=1-67891233-abcdef012345678912345678", "a.b_c:d"])
@pytest.mark.django_db
def test_a_well_formed_id_comes_back(given: str) -> None:
    assert answered(given) == given


@pytest.mark.parametrize(
    "given", [None, "", "b" * 65, "a b", "a\tb", "é", "1\r\nSet-Cookie: x", "<script>", "a/b", "a,b"]
)
@pytest.mark.django_db
def test_another_one_is_replaced(given: str | None) -> None:
    assert re.fullmatch(MADE, answered(given))


@pytest.mark.django_db
def test_no_two_requests_are_given_the_same() -> None:
    assert len({answered() for _ in range(20)}) == 20


@pytest.mark.django_db
@pytest.mark.usefixtures("valkey")
@pytest.mark.parametrize(
    ("path", "status"),
    [("/api/nothing", 404), ("/api/ingest/status", 401), ("/admin/", 302), ("/healthz", 200)],
)
def test_every_kind_of_answer_carries_it(path: str, status: int) -> None:
    response = Client().get(path, headers={"X-Request-ID": "seen-7"})
    assert (response.status_code, response["X-Request-ID"]) == (status, "seen-7")


@pytest.mark.django_db
@pytest.mark.usefixtures("valkey")
def test_a_bug_is_answered_with_the_id_under_which_it_was_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from core.api.auth import Me

    def bug(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Me, "get", bug)
    monkeypatch.setattr(Me, "permission_classes", [])
    caplog.handler.addFilter(correlation.Stamp())
    client = Client(raise_request_exception=False)
    response = client.get("/api/auth/me", headers={"X-Request-ID": "seen-7"})
    assert_problem(response, 500, request_id="seen-7")
    assert response["X-Request-ID"] == "seen-7"
    assert {record.correlation_id for record in caplog.records} == {"seen-7"}  # type: ignore[attr-defined]


@pytest.mark.django_db
def test_nothing_is_left_of_it_afterwards() -> None:
    answered("seen-7")
    assert correlation.current() == ""


def test_the_inner_of_two_ends_with_its_block_also_by_an_error() -> None:
    def fail() -> None:
        with correlation.under("inner"):
            assert correlation.current() == "inner"
            raise ZeroDivisionError

    with correlation.under("outer"):
        with pytest.raises(ZeroDivisionError):
            fail()
        assert correlation.current() == "outer"


def test_the_threads_of_a_provider_work_under_the_id_of_whoever_asks() -> None:
    bulkheads = Bulkheads(1)
    with correlation.under("first"):
        first = bulkheads.submit("x", correlation.current)
    with correlation.under("second"):
        second = bulkheads.submit("x", correlation.current)
    assert [first.result(10), second.result(10)] == ["first", "second"], "one thread, one after the other"
    assert bulkheads.submit("x", correlation.current).result(10) == ""


def test_another_thread_knows_nothing_of_it_unless_it_is_carried() -> None:
    with correlation.under("seen-7"), ThreadPoolExecutor(1) as pool:
        assert pool.submit(correlation.current).result() == ""
        assert pool.submit(correlation.carried(correlation.current)).result() == "seen-7"


def test_every_line_of_the_log_has_its_place_for_it(capsys: pytest.CaptureFixture[str]) -> None:
    """As the settings say; the handler is made anew, for this test's own standard error."""
    made = logging.config.DictConfigurator(settings.LOGGING)  # type: ignore[attr-defined]
    for kind in ("formatters", "filters"):
        for name, facts in settings.LOGGING[kind].items():
            made.config[kind][name] = getattr(made, f"configure_{kind[:-1]}")(facts)
    handler = made.configure_handler(settings.LOGGING["handlers"]["console"].copy())
    logger = logging.getLogger("tests.correlation")
    logger.addHandler(handler)
    try:
        with correlation.under("seen-7"):
            logger.warning("said")
        logger.warning("also said")
    finally:
        logger.removeHandler(handler)
    first, second = capsys.readouterr().err.splitlines()
    assert first.endswith(" seen-7 tests.correlation: said")
    assert second.endswith(" - tests.correlation: also said")
