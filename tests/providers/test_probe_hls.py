"""HLS probes: playlists in the shapes that packagers write, around real media.

The shapes follow Apple's "Advanced stream" examples (developer.apple.com/streaming/examples), the output of
Unified Streaming and Shaka Packager, and RFC 8216's own examples (section 8).
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.probe.hls import MalformedPlaylist, NotAPlaylist, Playlist, parse
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
    return media_origin


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
        ("#EXTM3U\n#EXTINF:2,\nhttp://127.0.0.1:1/one.ts\n#EXT-X-ENDLIST\n", ProbeOutcome.DEAD, ""),
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
