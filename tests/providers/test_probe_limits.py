"""What a probe refuses, and what it may cost: hostile manifests and servers, and arbitrary answers.

Every probe ends with a ProbeResult within its caps, whatever it is given.
"""

from __future__ import annotations

import gzip
import math
import socket
import struct
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from providers.errors import ProviderBadResponse, ProviderError, ProviderRefused, ProviderTransient
from providers.http import GuardedSession
from providers.messages import Request, Response
from providers.probe import probe, reader
from providers.probe.media import MAX_SECONDS, MAX_SIDE
from providers.types import Delivery, ProbeOutcome, ProbeResult
from tests.providers.media import MEDIA, MediaOrigin, fragments, media
from tests.providers.origin import Answer, Origin, raw_server
from tests.providers.test_probe_dash import LIVESIM
from tests.providers.test_probe_hls import FMP4, MASTER, TS

URL = "https://media.example.org/film/index"
GIGABYTE = 1 << 30


def look(url: str, delivery: Delivery) -> ProbeResult:
    origin = "/".join(url.split("/")[:3])
    with GuardedSession(provider="test", trusted_origins=[origin], max_retries=0) as session:
        return probe(url, delivery, session)


@pytest.mark.parametrize("delivery", Delivery)
def test_a_redirect_loop_is_dead(origin: Origin, delivery: Delivery) -> None:
    url = origin.on("/a", Answer(302, b"", {"Location": "/b"}))
    origin.on("/b", Answer(307, b"", {"Location": "/a"}))
    found = look(url, delivery)
    assert (found.outcome, found.evidence) == (ProbeOutcome.DEAD, "redirects in a loop")


def test_redirects_are_counted_over_the_whole_probe(origin: Origin) -> None:
    def moved(name: str, times: int, to: str) -> None:
        for number in range(times):
            target = f"/{name}{number + 1}" if number + 1 < times else to
            origin.on(f"/{name}{number}", Answer(302, b"", {"Location": target}))

    moved("m", 5, "/master")
    moved("v", 4, "/list")
    origin.on("/master", Answer(body=b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv0\n"))
    origin.on("/list", Answer(body=TS.encode()))
    origin.on("/one.ts", Answer(body=media("segment-1920x1080.ts")))
    found = look(origin.url + "/m0", Delivery.HLS)
    assert found.outcome is ProbeOutcome.INCONCLUSIVE
    assert found.evidence == f"not looked at: more than {reader.MAX_REDIRECTS - 5} redirects"
    assert look(origin.url + "/v0", Delivery.HLS).outcome is ProbeOutcome.OK


@pytest.mark.parametrize("delivery", Delivery)
def test_a_compressed_bomb_is_unpacked_no_further_than_the_cap(delivery: Delivery) -> None:
    beginning = {Delivery.HLS: b"#EXTM3U\n", Delivery.DASH: b"<MPD>"}.get(delivery, b"\0\0\0\x08free")
    bomb = gzip.compress(beginning + bytes(30_000_000))
    head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\n"

    def talk(stream: socket.socket) -> None:
        stream.sendall(f"{head}Content-Length: {len(bomb)}\r\n\r\n".encode() + bomb)

    with raw_server(talk) as port:
        found = look(f"http://127.0.0.1:{port}/film", delivery)
    assert found.bytes_read < reader.MAX_BYTES
    assert found.outcome is not ProbeOutcome.PROVIDER_DOWN, found.evidence


@pytest.mark.parametrize("delivery", Delivery)
def test_a_body_without_end_is_left(delivery: Delivery) -> None:
    sent = []

    def talk(stream: socket.socket) -> None:
        stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n#EXTM3U\n")
        for _ in range(GIGABYTE // 65_536):
            stream.sendall(b"#" * 65_535 + b"\n")
            sent.append(65_536)

    with raw_server(talk) as port:
        found = look(f"http://127.0.0.1:{port}/film", delivery)
    assert found.bytes_read <= reader.MAX_BYTES
    assert sum(sent) < GIGABYTE // 10


def test_a_server_that_answers_another_range_than_asked_is_not_believed(media_origin: MediaOrigin) -> None:
    class Confused:
        def fetch(self, request: Request) -> Response:
            body = struct.pack(">I4s", 1_000_000, b"free") + bytes(500)
            told = CaseInsensitiveDict({"Content-Range": "bytes 0-507/9000000"})
            return Response(status=206, headers=told, body=body, url=request.url)

    found = probe(URL, Delivery.PROGRESSIVE, Confused())
    assert (found.outcome, found.evidence) == (
        ProbeOutcome.INCONCLUSIVE,
        "index answers another range than asked",
    )


def test_bytes_are_counted_over_the_whole_probe() -> None:
    class LeadsOn:
        """Without Range, and every box says "look 90 kB further on", so that all is read again and again."""

        def fetch(self, request: Request) -> Response:
            film = struct.pack(">I4s", 90_000, b"free") + bytes(89_992)
            body = (film * 100)[: request.max_bytes]
            return Response(
                status=200, headers=CaseInsensitiveDict(), body=body, url=request.url, truncated=True
            )

    found = probe(URL, Delivery.PROGRESSIVE, LeadsOn())
    assert found.outcome is ProbeOutcome.INCONCLUSIVE
    assert "gave up" in found.evidence
    assert found.bytes_read <= reader.MAX_BYTES


@pytest.mark.parametrize(("headers", "outcome"), [({"Retry-After": "9"}, "throttled"), ({}, "provider_down")])
def test_a_503_that_says_when_to_come_back_is_a_throttle(
    origin: Origin, headers: dict[str, str], outcome: str
) -> None:
    url = origin.on("/film", Answer(503, b"later", headers))
    assert look(url, Delivery.HLS).outcome == outcome


def test_what_a_manifest_says_fits_a_database(media_origin: MediaOrigin) -> None:
    codecs = 'CODECS="avc1\0\x1b\u2028.640028",BANDWIDTH=99999999999999999999,RESOLUTION=99999x99999'
    media_origin.put("/master.m3u8", f"#EXTM3U\n#EXT-X-STREAM-INF:{codecs}\nlist.m3u8\n")
    media_origin.put("/list.m3u8", TS.replace("#EXTINF:2.0,", "#EXTINF:1e308,"))
    media_origin.put("/one.ts", media("segment-1920x1080.ts"))
    found = media_origin.probe("/master.m3u8", Delivery.HLS)
    assert found.outcome is ProbeOutcome.OK
    assert _sane(found)


def _sane(found: ProbeResult) -> bool:
    """Every figure and text fits its column, and JSON."""
    texts = found.evidence + found.codecs
    texts.encode()
    return (
        0 <= found.width <= MAX_SIDE
        and 0 <= found.height <= MAX_SIDE
        and 0 <= found.bitrate_bps < 2**31
        and 0 <= found.duration_s <= MAX_SECONDS
        and math.isfinite(found.duration_s)
        and found.bytes_read <= reader.MAX_BYTES
        and len(found.evidence) <= 500
        and len(found.codecs) <= 200
        and not any(character < " " or character == "\x7f" for character in texts)
        and (bool(found.evidence) or found.outcome is ProbeOutcome.OK)
    )


class Scripted:
    """A session that gives one answer after the other, as the guarded one would: ranges, caps, failures."""

    def __init__(self, answers: Iterator[Response | ProviderError]) -> None:
        self.answers, self.requests, self.redirects = answers, 0, 0

    def fetch(self, request: Request) -> Response:
        self.requests += 1
        answer = next(self.answers)
        if isinstance(answer, ProviderError):
            raise answer
        body = answer.body
        if request.range and answer.status == 206:
            body = body[request.range[0] : request.range[1] + 1]
        self.redirects += answer.redirects
        return Response(
            status=answer.status,
            headers=answer.headers,
            body=body[: request.max_bytes],
            url=request.url,
            elapsed_ms=answer.elapsed_ms,
            redirects=min(answer.redirects, request.max_redirects),
            truncated=len(body) > request.max_bytes,
        )


INIT, REST = fragments("fmp4-1920x1080.mp4")
GOOD = [INIT, REST, *map(media, MEDIA), MASTER.encode(), FMP4.encode(), TS.encode(), LIVESIM.encode(), b"<p>"]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Something good, with bytes changed, cut out or put in."""
    data = bytearray(draw(st.sampled_from(GOOD)))
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, len(data)))
        kind = draw(st.sampled_from(["change", "cut", "insert", "repeat"]))
        if kind == "change" and at < len(data):
            data[at] = draw(st.integers(0, 255))
        elif kind == "cut":
            del data[at : at + draw(st.integers(1, 200))]
        elif kind == "insert":
            data[at:at] = draw(st.binary(max_size=20) | st.sampled_from(TOKENS))
        elif kind == "repeat":
            data[at:at] = data[at : at + 300] * draw(st.integers(1, 30))
    return bytes(data)


TOKENS = [
    b'\n#EXT-X-DEFINE:NAME="a",VALUE="b"\n{$a}',
    b"\n#EXT-X-KEY:METHOD=AES-128\n",
    b"\n#EXT-X-BYTERANGE:5@99999999999999\n",
    b'\n#EXT-X-MAP:URI="http://["\n',
    b"\n#EXTINF:inf,\nhttp://\xff:99999/\n",
    b" type='dynamic' availabilityStartTime='0001-01-01T00:00:00+23:59' ",
    b"<SegmentTimeline><S r='-1' d='1'/></SegmentTimeline>",
    b"<BaseURL>//[</BaseURL>",
    b"$Number%099d$",
]
HEADERS = st.dictionaries(
    st.sampled_from(
        ["Content-Type", "Content-Range", "Content-Security-Policy", "X-Frame-Options", "Retry-After"]
    ),
    st.sampled_from(
        ["text/html", "bytes 0-1/2", "bytes 99-1/*", "frame-ancestors http://[:x", "DENY,", ":", ""]
    )
    | st.text(max_size=30),
)
ANSWERS = st.builds(
    Response,
    status=st.sampled_from([200, 200, 200, 206, 206, 206, 204, 302, 304, 404, 416, 429, 500, 999]),
    headers=HEADERS.map(CaseInsensitiveDict),
    body=damaged() | st.binary(max_size=300),
    url=st.just(URL),
    elapsed_ms=st.sampled_from([0, 5, 9_000]),
    redirects=st.integers(0, 9),
) | st.sampled_from([ProviderTransient("x"), ProviderRefused("y"), ProviderBadResponse("z")])
LAST = ProviderTransient("no more answers")


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(list(Delivery)), st.lists(ANSWERS, max_size=14))
def test_whatever_is_answered_a_probe_ends_within_its_caps(
    delivery: Delivery, answers: list[Response | ProviderError]
) -> None:
    session = Scripted(iter([*answers, *[LAST] * 20]))
    found = probe(URL, delivery, session, clock=lambda: 1.7e9)
    assert _sane(found), found
    assert session.requests <= reader.MAX_REQUESTS
    assert session.requests == 0 or found.latency_ms <= reader.MAX_SECONDS * 1000


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(list(Delivery)), st.binary(max_size=4_000), st.sampled_from([200, 206]))
def test_whatever_bytes_are_answered_a_probe_ends_with_a_result(
    delivery: Delivery, body: bytes, status: int
) -> None:
    answers = iter([Response(status=status, headers=CaseInsensitiveDict(), body=body, url=URL)] * 20)
    assert _sane(probe(URL, delivery, Scripted(answers)))
