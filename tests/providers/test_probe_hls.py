"""HLS probes: playlists in the shapes that packagers write, around real media.

The shapes follow Apple's "Advanced stream" examples (developer.apple.com/streaming/examples), the output of
Unified Streaming and Shaka Packager, and RFC 8216's own examples (section 8).
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.probe.hls import ranked
from providers.probe.playlist import MalformedPlaylist, NotAPlaylist, Playlist, parse
from providers.types import Delivery, ProbeOutcome, ProbeResult
from tests.providers.media import MediaOrigin, fragments, media

MASTER = """#EXTM3U
#EXT-X-VERSION:6
#EXT-X-INDEPENDENT-SEGMENTS

#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="aud1",LANGUAGE="en",NAME="English",DEFAULT=YES,URI="a1/prog_index.m3u8"
#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="sub1",NAME="English",LANGUAGE="en",URI="s1/en/prog_index.m3u8"
#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=9287523,CODECS="avc1.64002a",RESOLUTION=3840x2160,URI="v7/iframe.m3u8"
#EXT-X-STREAM-INF:AVERAGE-BANDWIDTH=2168183,BANDWIDTH=2177116,CODECS="avc1.640020,mp4a.40.2",RESOLUTION=960x540,FRAME-RATE=60.000,AUDIO="aud1",SUBTITLES="sub1"
v5/prog_index.m3u8
#EXT-X-STREAM-INF:AVERAGE-BANDWIDTH=7968416,BANDWIDTH=8001098,CODECS="avc1.64002a,mp4a.40.2",RESOLUTION={size},FRAME-RATE=60.000,AUDIO="aud1",SUBTITLES="sub1"
v9/prog_index.m3u8
#EXT-X-STREAM-INF:AVERAGE-BANDWIDTH=6170000,BANDWIDTH=6312875,CODECS="avc1.64002a,mp4a.40.2",RESOLUTION={size},FRAME-RATE=60.000,AUDIO="aud1",SUBTITLES="sub1"
v8/prog_index.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=99000000,CODECS="mp4a.40.5",AUDIO="aud1"
a1/prog_index.m3u8
"""

FMP4 = """#EXTM3U
#EXT-X-TARGETDURATION:6
#EXT-X-VERSION:7
#EXT-X-MEDIA-SEQUENCE:1
#EXT-X-PLAYLIST-TYPE:VOD
#EXT-X-MAP:URI="init.mp4"
#EXTINF:6.00000,
one.m4s
#EXTINF:5.50000,
two.m4s
#EXT-X-ENDLIST
"""

TS = """#EXTM3U
#EXT-X-TARGETDURATION:2
#EXTINF:2.0,a title
one.ts
#EXTINF:2.0,
two.ts
#EXT-X-ENDLIST
"""


@pytest.fixture
def apple(media_origin: MediaOrigin) -> MediaOrigin:
    """A master playlist that claims 3840x2160 for its best variants, which are really 1920x1080."""
    init, rest = fragments("fmp4-1920x1080.mp4")
    media_origin.put("/film/master.m3u8", MASTER.format(size="3840x2160"))
    media_origin.put("/film/v9/prog_index.m3u8", FMP4)
    media_origin.put("/film/v9/init.mp4", init)
    media_origin.put("/film/v9/one.m4s", rest)
    media_origin.put("/film/a1/prog_index.m3u8", FMP4)
    media_origin.put("/film/a1/one.m4s", rest)
    return media_origin


LEADING_TO = "#EXTM3U\n#EXTINF:2,\n{}\n#EXT-X-ENDLIST\n"


def look(origin: MediaOrigin, path: str = "/film/master.m3u8") -> ProbeResult:
    return origin.probe(path, Delivery.HLS)


def test_a_lying_resolution_is_caught(apple: MediaOrigin) -> None:
    found = look(apple)
    assert found.outcome is ProbeOutcome.OK
    assert (found.width, found.height) == (1920, 1080)
    assert found.evidence == "best of 4 variants, measured 1920x1080 in MP4, claimed 3840x2160"


def test_the_best_variant_is_read_with_its_bandwidth_codecs_and_length(apple: MediaOrigin) -> None:
    found = look(apple)
    assert (found.bitrate_bps, found.codecs, found.duration_s) == (8_001_098, "avc1.64002a,mp4a.40.2", 11.5)
    assert not found.live
    assert [path for path, _ in apple.asked] == [
        "/film/master.m3u8",
        "/film/v9/prog_index.m3u8",
        "/film/v9/init.mp4",
        "/film/v9/one.m4s",
        "/film/a1/prog_index.m3u8",
        "/film/a1/one.m4s",
    ]


def test_little_is_read(apple: MediaOrigin) -> None:
    apple.put("/film/v9/one.m4s", fragments("fmp4-1920x1080.mp4")[1] + bytes(2_000_000))
    found = look(apple)
    assert found.outcome is ProbeOutcome.OK
    assert found.bytes_read < 10_000


def test_an_honest_claim_is_no_news(apple: MediaOrigin) -> None:
    apple.put("/film/master.m3u8", MASTER.format(size="1920x1080"))
    assert look(apple).evidence == "best of 4 variants, measured 1920x1080 in MP4"


def test_segments_that_are_gone_are_dead(apple: MediaOrigin) -> None:
    del apple.pages["/film/v9/one.m4s"]
    found = look(apple)
    assert found.outcome is ProbeOutcome.DEAD
    assert found.evidence == "one.m4s answers 404"


def test_where_the_best_variant_is_gone_a_player_goes_on_to_the_next(apple: MediaOrigin) -> None:
    apple.pages["/film/v8/prog_index.m3u8"] = apple.pages.pop("/film/v9/prog_index.m3u8")
    init, rest = fragments("fmp4-3840x2160.mp4")
    apple.put("/film/v8/init.mp4", init)
    apple.put("/film/v8/one.m4s", rest)
    found = look(apple)
    assert (found.outcome, found.height, found.bitrate_bps) == (ProbeOutcome.OK, 2160, 6_312_875)
    assert found.evidence.startswith("second best of 4 variants (prog_index.m3u8 answers 404), measured")


@pytest.mark.parametrize("path", ["/film/a1/prog_index.m3u8", "/film/a1/one.m4s"])
def test_a_film_whose_sound_apart_is_gone_is_dead(apple: MediaOrigin, path: str) -> None:
    del apple.pages[path]
    found = look(apple)
    assert found.outcome is ProbeOutcome.DEAD
    assert found.evidence.startswith("the sound apart: ")


def test_of_the_sounds_apart_the_default_one_counts() -> None:
    lines = [
        f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="{group}",NAME="x",DEFAULT={default}{uri}'
        for group, default, uri in [
            ("a", "NO", ',URI="a-first"'),
            ("a", "YES", ',URI="a-default"'),
            ("a", "NO", ',URI="a-last"'),
            ("b", "NO", ',URI="b-first"'),
            ("b", "NO", ',URI="b-last"'),
            ("muxed", "YES", ""),
            ("muxed", "NO", ',URI="commentary"'),
        ]
    ]
    found = parse("\n".join(["#EXTM3U", '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",URI="s"', *lines]))
    assert found.sounds == {"a": "a-default", "b": "b-first", "muxed": ""}


def test_sound_alone_is_never_the_best_variant() -> None:
    found = parse(MASTER.replace(",RESOLUTION={size}", "").replace(",RESOLUTION=960x540", ""))
    assert [one.uri[:2] for one in ranked(found.variants)] == ["v9", "v8", "v5", "a1"]


def test_a_segment_that_is_a_web_page_is_dead(apple: MediaOrigin) -> None:
    apple.put("/film/v9/one.m4s", "<html>This video has been removed</html>", kind="video/mp4")
    found = look(apple)
    assert found.outcome is ProbeOutcome.DEAD
    assert "an HTML page" in found.evidence


def test_a_transport_stream_is_measured(media_origin: MediaOrigin) -> None:
    media_origin.put("/list.m3u8", TS)
    media_origin.put("/one.ts", media("segment-1920x1080.ts"))
    found = look(media_origin, "/list.m3u8")
    assert (found.width, found.height, found.codecs, found.duration_s) == (1920, 1080, "avc1.640033", 4.0)
    assert found.bitrate_bps == len(media("segment-1920x1080.ts")) * 8 // 2


def test_byte_ranges_of_one_file_are_respected(media_origin: MediaOrigin) -> None:
    init, rest = fragments("fmp4-3840x2160.mp4")
    media_origin.put("/all.mp4", b"<html>not here" + bytes(50) + init + rest)
    media_origin.put(
        "/list.m3u8",
        "#EXTM3U\n#EXT-X-VERSION:7\n"
        f'#EXT-X-MAP:URI="all.mp4",BYTERANGE="{len(init)}@64"\n'
        f"#EXTINF:2,\n#EXT-X-BYTERANGE:{len(rest)}@{64 + len(init)}\nall.mp4\n#EXT-X-ENDLIST\n",
    )
    found = look(media_origin, "/list.m3u8")
    assert (found.width, found.height) == (3840, 2160)
    assert found.bitrate_bps == len(rest) * 8 // 2
    assert media_origin.asked[1:] == [("/all.mp4", f"bytes=64-{64 + len(init) - 1}")]


def test_a_byte_range_beyond_the_end_of_its_file_is_dead(media_origin: MediaOrigin) -> None:
    media_origin.put("/all.ts", media("segment-1920x1080.ts"))
    media_origin.put(
        "/list.m3u8", "#EXTM3U\n#EXTINF:2,\n#EXT-X-BYTERANGE:1000@999999\nall.ts\n#EXT-X-ENDLIST\n"
    )
    assert look(media_origin, "/list.m3u8").outcome is ProbeOutcome.DEAD


def test_a_byte_range_without_a_start_follows_the_one_before() -> None:
    playlist = parse("#EXTM3U\n#EXTINF:2,\n#EXT-X-BYTERANGE:100@50\na\n#EXTINF:2,\n#EXT-X-BYTERANGE:70\na\n")
    assert [(one.media.start, one.media.length) for one in playlist.segments] == [(50, 100), (150, 70)]


def test_a_live_window_is_measured_at_its_new_end(media_origin: MediaOrigin) -> None:
    media_origin.put("/live.m3u8", TS.replace("#EXT-X-ENDLIST\n", ""))
    media_origin.put("/two.ts", media("hevc-1280x720.ts"))
    found = look(media_origin, "/live.m3u8")
    assert found.outcome is ProbeOutcome.OK
    assert found.live
    assert (found.width, found.height, found.duration_s) == (1280, 720, 0.0)
    assert found.evidence.endswith("; live")


def test_a_film_of_ten_thousand_segments_is_read_from_its_beginning(media_origin: MediaOrigin) -> None:
    lines = "".join(f"#EXTINF:6.0,\nsegment-{number}.ts\n" for number in range(10_000))
    media_origin.put("/long.m3u8", f"#EXTM3U\n#EXT-X-TARGETDURATION:6\n{lines}#EXT-X-ENDLIST\n")
    media_origin.put("/segment-0.ts", media("segment-1920x1080.ts"))
    found = look(media_origin, "/long.m3u8")
    assert (found.width, found.live, found.duration_s) == (1920, False, 0.0)
    assert found.bytes_read < 40_000


@pytest.mark.parametrize(("ranges", "connections"), [(True, 1), (False, 2)])
def test_a_long_playlist_costs_no_connection_where_its_server_knows_ranges(
    media_origin: MediaOrigin, ranges: bool, connections: int
) -> None:
    media_origin.put("/segment.ts", media("segment-1920x1080.ts"))
    lines = "#EXTINF:6.0,\nsegment.ts\n" * 2000
    media_origin.put(
        "/long.m3u8", f"#EXTM3U\n#EXT-X-TARGETDURATION:6\n{lines}#EXT-X-ENDLIST\n", ranges=ranges
    )
    assert look(media_origin, "/long.m3u8").outcome is ProbeOutcome.OK
    assert len(media_origin.connections) == connections


def test_a_line_that_is_cut_off_in_a_long_playlist_is_not_read(media_origin: MediaOrigin) -> None:
    beginning = "#EXTM3U\n#EXTINF:6.0,\none.ts\n"
    filling = "#" * (16_384 - len(beginning) - len("\n#EXTINF:"))
    media_origin.put("/long.m3u8", f"{beginning}{filling}\n#EXTINF:6.0,\ntwo.ts\n#EXT-X-ENDLIST\n")
    media_origin.put("/one.ts", media("segment-1920x1080.ts"))
    assert look(media_origin, "/long.m3u8").width == 1920


def test_a_long_master_playlist_is_read_whole(apple: MediaOrigin) -> None:
    extra = "".join(
        f'#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="{number}",URI="s{number}.m3u8"\n'
        for number in range(400)
    )
    apple.put(
        "/film/master.m3u8",
        MASTER.format(size="1920x1080").replace("#EXT-X-I-FRAME", extra + "#EXT-X-I-FRAME"),
    )
    assert look(apple).evidence == "best of 4 variants, measured 1920x1080 in MP4"


def test_a_giant_master_playlist_is_refused(media_origin: MediaOrigin) -> None:
    media_origin.put("/giant.m3u8", "#EXTM3U\n" + "#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8\n" * 20_000)
    found = look(media_origin, "/giant.m3u8")
    assert found.outcome is ProbeOutcome.INCONCLUSIVE
    assert "more than 128 kB" in found.evidence


def test_what_is_encrypted_goes_by_its_claim_and_says_so(apple: MediaOrigin) -> None:
    key = '#EXT-X-KEY:METHOD=AES-128,URI="key.bin"\n'
    apple.put("/film/v9/prog_index.m3u8", TS.replace("#EXTINF:2.0,a", key + "#EXTINF:2.0,a"))
    apple.put("/film/v9/one.ts", bytes((number * 167 + 41) % 256 for number in range(4096)))
    found = look(apple)
    assert found.outcome is ProbeOutcome.OK
    assert (found.width, found.height) == (3840, 2160)
    assert "encrypted (AES-128)" in found.evidence
    assert "3840x2160 is the manifest's claim" in found.evidence


@pytest.mark.parametrize(
    "body", [b"\0\0\0\x18ftyp" + bytes(90), b"G" + bytes(187) + b"G" + bytes(187) + b"G"]
)
def test_what_is_encrypted_whole_is_not_taken_for_what_it_looks_like(apple: MediaOrigin, body: bytes) -> None:
    key = '#EXT-X-KEY:METHOD=AES-128,URI="key.bin"\n#EXT-X-MAP'
    apple.put("/film/v9/prog_index.m3u8", FMP4.replace("#EXT-X-MAP", key))
    apple.put("/film/v9/one.m4s", body)
    found = look(apple)
    assert found.outcome is ProbeOutcome.OK
    assert "3840x2160 is the manifest's claim" in found.evidence
    del apple.pages["/film/v9/one.m4s"]
    assert look(apple).outcome is ProbeOutcome.DEAD


def test_what_is_protected_is_measured_by_its_clear_header_and_says_so(apple: MediaOrigin) -> None:
    keys = "".join(
        f'#EXT-X-KEY:METHOD=SAMPLE-AES-CTR,URI="data:text/plain;base64,AA==",KEYFORMAT="{system}"\n'
        for system in ("urn:uuid:EDEF8BA9-79d6-4ace-a3c8-27dcd51d21ed", "com.apple.streamingkeydelivery", "x")
    )
    apple.put("/film/v9/prog_index.m3u8", FMP4.replace("#EXT-X-MAP", keys + "#EXT-X-MAP"))
    found = look(apple)
    assert (found.outcome, found.height) == (ProbeOutcome.OK, 1080)
    assert "measured 1920x1080 in MP4, encrypted (SAMPLE-AES-CTR, FairPlay, Widevine)" in found.evidence


def test_a_key_ends_with_the_next_that_says_none() -> None:
    first, second = parse(
        "#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI=k\n#EXTINF:1,\na\n#EXT-X-KEY:METHOD=NONE\n#EXTINF:1,\nb\n"
    ).segments
    assert (str(first.protection), first.protection.opaque) == ("AES-128", True)
    assert (str(second.protection), second.protection.opaque) == ("", False)


def test_an_advertisement_before_the_film_is_not_taken_for_it(media_origin: MediaOrigin) -> None:
    film = "".join(f"#EXTINF:6,\nfilm-{number}.ts\n" for number in range(9))
    breaks = (
        f"#EXTM3U\n#EXTINF:9,\nad.ts\n#EXT-X-DISCONTINUITY\n{film}#EXT-X-DISCONTINUITY\n#EXTINF:9,\nad.ts\n"
    )
    media_origin.put("/list.m3u8", breaks + "#EXT-X-ENDLIST\n")
    media_origin.put("/ad.ts", media("hevc-1280x720.ts"))
    media_origin.put("/film-0.ts", media("segment-1920x1080.ts"))
    found = look(media_origin, "/list.m3u8")
    assert (found.height, found.duration_s) == (1080, 72.0)


def test_a_low_latency_window_is_measured_by_its_whole_segments(media_origin: MediaOrigin) -> None:
    live = TS.replace(
        "#EXT-X-ENDLIST\n", '#EXT-X-PART:DURATION=0.3,URI="p.ts"\n#EXT-X-PRELOAD-HINT:TYPE=PART,URI="q"\n'
    )
    media_origin.put("/live.m3u8", live)
    media_origin.put("/two.ts", media("segment-1920x1080.ts"))
    found = look(media_origin, "/live.m3u8")
    assert (found.outcome, found.live, found.height) == (ProbeOutcome.OK, True, 1080)


@pytest.mark.parametrize("dress", [lambda text: "\ufeff" + text, lambda text: text.replace("\n", "\r\n")])
def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(dress: Callable[[str], str]) -> None:
    for text in (MASTER, FMP4, TS):
        assert parse(dress(text)) == parse(text)


def test_an_address_too_long_for_the_first_read_is_read_further(media_origin: MediaOrigin) -> None:
    address = "/one.ts?" + "t" * 20_000
    media_origin.put("/list.m3u8", LEADING_TO.format(address) + TS)
    media_origin.put(address, media("segment-1920x1080.ts"))
    assert look(media_origin, "/list.m3u8").outcome is ProbeOutcome.OK


def test_variables_are_filled_in(apple: MediaOrigin) -> None:
    master = MASTER.format(size="1920x1080").replace("v9/", "{$folder}/")
    define = '#EXTM3U\n#EXT-X-DEFINE:NAME="folder",VALUE="v9"\n#EXT-X-DEFINE:QUERYPARAM="token"\n'
    apple.put("/film/master.m3u8?token=hush", master.replace("#EXTM3U\n", define))
    imports = '#EXT-X-DEFINE:IMPORT="token"\n#EXT-X-MAP:URI="{$token}.mp4"'
    apple.put("/film/v9/prog_index.m3u8", FMP4.replace('#EXT-X-MAP:URI="init.mp4"', imports))
    apple.put("/film/v9/hush.mp4", fragments("fmp4-1920x1080.mp4")[0])
    found = look(apple, "/film/master.m3u8?token=hush")
    assert (found.outcome, found.height) == (ProbeOutcome.OK, 1080)


def test_without_a_definition_nothing_is_a_variable() -> None:
    assert parse(LEADING_TO.format("{$a}.ts")).segments[0].media.url == "{$a}.ts"


@pytest.mark.parametrize(
    "definition",
    [
        '#EXT-X-DEFINE:IMPORT="a"',
        '#EXT-X-DEFINE:QUERYPARAM="a"',
        '#EXT-X-DEFINE:NAME="b",VALUE="c"',
        f'#EXT-X-DEFINE:NAME="a",VALUE="{"x" * 5_000}"\n' + "#{$a}\n" * 400,
    ],
)
def test_a_variable_that_cannot_be_filled_in_leaves_it_open(
    media_origin: MediaOrigin, definition: str
) -> None:
    media_origin.put("/list.m3u8", f"#EXTM3U\n{definition}\n#EXTINF:2,\n{{$a}}.ts\n#EXT-X-ENDLIST\n")
    found = look(media_origin, "/list.m3u8")
    assert found.outcome is ProbeOutcome.INCONCLUSIVE
    assert "variable" in found.evidence


def test_without_claim_and_measure_there_is_no_size(media_origin: MediaOrigin) -> None:
    media_origin.put("/list.m3u8", TS)
    media_origin.put("/one.ts", bytes(range(256)) * 8)
    found = look(media_origin, "/list.m3u8")
    assert (found.outcome, found.width, found.height) == (ProbeOutcome.OK, 0, 0)
    assert "no size is claimed" in found.evidence


def test_sound_alone_is_dead(media_origin: MediaOrigin) -> None:
    media_origin.put("/list.m3u8", TS)
    media_origin.put("/one.ts", media("sound.ts"))
    found = look(media_origin, "/list.m3u8")
    assert found.outcome is ProbeOutcome.DEAD
    assert "no video" in found.evidence


@pytest.mark.parametrize(
    ("playlist", "outcome", "said"),
    [
        ("#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXT-X-ENDLIST\n", ProbeOutcome.DEAD, "no segments"),
        ("#EXTM3U\n#EXTINF:2,\n#EXT-X-GAP\none.ts\n#EXT-X-ENDLIST\n", ProbeOutcome.DEAD, "no segments"),
        ("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n", ProbeOutcome.DEAD, "no variants"),
        ("<!DOCTYPE html><p>Not found", ProbeOutcome.DEAD, "an HTML page"),
        ("", ProbeOutcome.DEAD, "an empty body"),
        ("#EXTM3U\n#EXTINF:soon,\none.ts\n", ProbeOutcome.INCONCLUSIVE, "malformed"),
        ("#EXTM3U\n#EXTINF:2,\n#EXT-X-BYTERANGE:some\none.ts\n", ProbeOutcome.INCONCLUSIVE, "malformed"),
        ("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlist.m3u8\n", ProbeOutcome.INCONCLUSIVE, "inside a master"),
        ("#EXTM3U\n#EXTINF:2,\nhttp://[::1/one.ts\n#EXT-X-ENDLIST\n", ProbeOutcome.DEAD, "no address"),
        ("#EXTM3U\n#EXTINF:2,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n", ProbeOutcome.DEAD, "file"),
        (LEADING_TO.format("http://127.0.0.1/one.ts"), ProbeOutcome.DEAD, "no public address"),
        (LEADING_TO.format("http://169.254.169.254/latest"), ProbeOutcome.DEAD, "no public address"),
        (LEADING_TO.format("http://u:p@cdn.example/one.ts"), ProbeOutcome.DEAD, "user or password"),
        (LEADING_TO.format("data:video/mp2t;base64,AAAA"), ProbeOutcome.DEAD, "scheme 'data'"),
        (LEADING_TO.format("https://cdn.example:8443/1.ts"), ProbeOutcome.INCONCLUSIVE, "port 8443"),
        (LEADING_TO.format("#EXT-X-PART:DURATION=1,URI=p"), ProbeOutcome.INCONCLUSIVE, "no segments"),
        ("#EXTM3U\n#EXT-X-I-FRAMES-ONLY\n#EXTINF:2,\none.ts\n", ProbeOutcome.DEAD, "key frames"),
        ("#EXTM3U\n#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI=a\n", ProbeOutcome.DEAD, "no variants"),
        ("#EXTM3U\n" + "#EXT-X-KEY:METHOD=NONE\n" * 9_000, ProbeOutcome.INCONCLUSIVE, "without a segment"),
    ],
)
def test_a_playlist_that_leads_nowhere(
    media_origin: MediaOrigin, playlist: str, outcome: ProbeOutcome, said: str
) -> None:
    media_origin.put("/list.m3u8", playlist)
    found = look(media_origin, "/list.m3u8")
    assert found.outcome is outcome
    assert said in found.evidence


def test_a_slip_in_a_tag_that_does_not_matter_costs_nothing() -> None:
    odd = FMP4.replace(
        "#EXT-X-MAP", "#EXT-X-PROGRAM-DATE-TIME:yesterday\n#EXT-X-START:TIME-OFFSET=x\n#EXT-X-MAP"
    )
    assert parse(odd) == parse(FMP4)


def test_what_is_no_playlist_is_said_to_be_none() -> None:
    with pytest.raises(NotAPlaylist):
        parse("one.ts\ntwo.ts\n")


_LINES = st.one_of(
    st.sampled_from(MASTER.splitlines() + FMP4.splitlines() + TS.splitlines()),
    st.sampled_from(
        ["#EXT-X-KEY:", "#EXT-X-MAP:", "#EXTINF:", "#EXT-X-STREAM-INF:", "#EXT-X-BYTERANGE:"]
    ).flatmap(lambda tag: st.text(max_size=40).map(lambda rest: tag + rest)),
    st.text(max_size=60),
)


@settings(deadline=None)
@given(st.lists(_LINES, max_size=25))
def test_no_text_crashes_the_parser(lines: list[str]) -> None:
    try:
        assert isinstance(parse("#EXTM3U\n" + "\n".join(lines)), Playlist)
    except (NotAPlaylist, MalformedPlaylist):
        return
