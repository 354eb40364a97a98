"""Embeds: a page that answers and lets itself be framed by us."""

from __future__ import annotations

import socket

import pytest

from providers.http import GuardedSession
from providers.probe import probe
from providers.types import Delivery, ProbeOutcome
from tests.providers.media import MediaOrigin
from tests.providers.origin import Answer, Origin, raw_server

SITE = "https://tv.example.org"
XFO = "X-Frame-Options"
CSP = "Content-Security-Policy"
OK, NO, MAYBE = ProbeOutcome.OK, ProbeOutcome.UNEMBEDDABLE, ProbeOutcome.INCONCLUSIVE


@pytest.mark.parametrize(
    ("headers", "outcome"),
    [
        ({}, OK),
        ({XFO: "DENY"}, NO),
        ({XFO: "sameorigin"}, NO),
        ({XFO: "ALLOWALL"}, OK),
        ({XFO: "ALLOW-FROM https://elsewhere.example"}, OK),
        ({XFO: "DENY, DENY"}, NO),
        ({XFO: "ALLOWALL, SAMEORIGIN"}, NO),
        ({XFO: "nonsense, more"}, OK),
        ({CSP: "default-src 'self'"}, OK),
        ({CSP: "frame-ancestors 'none'"}, NO),
        ({CSP: "frame-ancestors"}, NO),
        ({CSP: "frame-ancestors 'self'"}, NO),
        ({CSP: "frame-ancestors *"}, OK),
        ({CSP: "frame-ancestors https:"}, OK),
        ({CSP: "frame-ancestors http:"}, OK),
        ({CSP: "frame-ancestors ftp:"}, NO),
        ({CSP: "frame-ancestors https://*"}, OK),
        ({CSP: "frame-ancestors http://*:*"}, OK),
        ({CSP: "frame-ancestors https://*:8443"}, NO),
        ({CSP: "frame-ancestors ftp://*"}, NO),
        ({CSP: "frame-ancestors http://tv.example.org"}, OK),
        ({CSP: "script-src 'self'; frame-ancestors 'none'", XFO: "ALLOWALL"}, NO),
        ({CSP: "frame-ancestors https://tv.example.org"}, OK),
        ({CSP: "frame-ancestors https://TV.example.org:443/"}, OK),
        ({CSP: "frame-ancestors https://tv.example.org:8443"}, NO),
        ({CSP: "frame-ancestors https://tv.example.org:*"}, OK),
        ({CSP: "frame-ancestors tv.example.org"}, OK),
        ({CSP: "frame-ancestors *.example.org"}, OK),
        ({CSP: "frame-ancestors *.tv.example.org"}, NO),
        ({CSP: "frame-ancestors https://elsewhere.example 'self'"}, NO),
        ({CSP: "frame-ancestors *", XFO: "DENY"}, OK),
        ({CSP: "frame-ancestors *; frame-ancestors 'none'"}, OK),
        ({CSP: "frame-ancestors *, frame-ancestors 'none'"}, NO),
        ({CSP: "default-src 'none', frame-ancestors https:"}, OK),
        ({CSP: "FRAME-ANCESTORS 'NONE'"}, NO),
        ({CSP + "-Report-Only": "frame-ancestors 'none'"}, OK),
        ({CSP + "-Report-Only": "frame-ancestors 'none'", XFO: "DENY"}, NO),
        ({CSP: "frame-ancestors https://tv.example.org:port"}, NO),
    ],
)
def test_framing(media_origin: MediaOrigin, headers: dict[str, str], outcome: ProbeOutcome) -> None:
    media_origin.put("/embed", "<!DOCTYPE html><video>", kind="text/html; charset=utf-8", headers=headers)
    found = media_origin.probe("/embed", Delivery.EMBED, site_origin=SITE)
    assert (found.outcome, found.width, found.height) == (outcome, 0, 0), found.evidence


@pytest.mark.parametrize(
    ("policy", "outcome"),
    [
        ("frame-ancestors *", OK),
        ("frame-ancestors https:", OK),
        ("frame-ancestors 'none'", NO),
        ("frame-ancestors 'self'", NO),
        ("frame-ancestors https://tv.example.org", MAYBE),
        ("frame-ancestors http://localhost:3000", MAYBE),
        ("frame-ancestors 'self' localhost", MAYBE),
        ("frame-ancestors https://*", OK),
        ("frame-ancestors", NO),
    ],
)
def test_without_knowing_our_own_address_only_a_list_of_hosts_leaves_it_open(
    media_origin: MediaOrigin, policy: str, outcome: ProbeOutcome
) -> None:
    media_origin.put("/embed", "<video>", kind="text/html", headers={CSP: policy})
    assert media_origin.probe("/embed", Delivery.EMBED).outcome is outcome


def test_our_own_pages_may_be_framed_as_self(media_origin: MediaOrigin) -> None:
    for headers in ({CSP: "frame-ancestors 'self'"}, {XFO: "SAMEORIGIN"}):
        media_origin.put("/embed", "<video>", kind="text/html", headers=headers)
        assert media_origin.probe("/embed", Delivery.EMBED, site_origin=media_origin.url).outcome is OK


@pytest.mark.parametrize(
    ("page", "outcome"),
    [
        ({"body": "<p>gone", "kind": "text/html", "status": 404}, ProbeOutcome.DEAD),
        ({"body": "<p>not you", "kind": "text/html", "status": 403}, ProbeOutcome.FORBIDDEN),
        ({"body": '{"error": 1}', "kind": "application/json"}, ProbeOutcome.DEAD),
        ({"body": "  \n", "kind": "text/html"}, ProbeOutcome.DEAD),
        ({"body": "", "kind": "text/html", "status": 204}, ProbeOutcome.DEAD),
        ({"body": "<p>later", "kind": "text/html", "status": 503}, ProbeOutcome.PROVIDER_DOWN),
        ({"body": "<html/>", "kind": "Application/XHTML+XML; charset=utf-8"}, ProbeOutcome.OK),
        ({"body": "<html>" + " " * 500_000, "kind": "text/html"}, ProbeOutcome.OK),
    ],
)
def test_a_page_has_to_answer(media_origin: MediaOrigin, page: dict[str, str], outcome: ProbeOutcome) -> None:
    media_origin.put("/embed", **page)
    found = media_origin.probe("/embed", Delivery.EMBED, site_origin=SITE)
    assert found.outcome is outcome
    assert found.bytes_read <= 4096


@pytest.mark.parametrize(("last", "outcome"), [("'none'", NO), ("https:", OK)])
def test_of_several_policies_all_must_allow(last: str, outcome: ProbeOutcome) -> None:
    lines = ["HTTP/1.1 200 OK", f"{CSP}: frame-ancestors *", f"{CSP}: frame-ancestors {last}"]

    def talk(stream: socket.socket) -> None:
        stream.sendall("\r\n".join([*lines, "Content-Length: 7", "", "<video>"]).encode())

    with raw_server(talk) as port:
        url = f"http://127.0.0.1:{port}"
        with GuardedSession(provider="test", trusted_origins=[url], max_retries=0) as session:
            assert probe(url, Delivery.EMBED, session, site_origin=SITE).outcome is outcome


def test_a_page_that_leads_off_the_list_of_hosts_is_not_shown(origin: Origin) -> None:
    origin.on("/embed", Answer(302, b"", {"Location": "https://elsewhere.example/embed"}))
    allowed = {"trusted_origins": [origin.url], "allowed_hosts": ["127.0.0.1"]}
    with GuardedSession(provider="test", max_retries=0, **allowed) as session:
        found = probe(origin.url + "/embed", Delivery.EMBED, session, site_origin=SITE)
    assert found.outcome is ProbeOutcome.DEAD
    assert found.evidence == "host elsewhere.example is not on this provider's list"
