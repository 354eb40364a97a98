"""The container and codec parsers, on real files and on files that are broken on purpose."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.probe.measure import NotMedia, measure
from providers.probe.media import MAX_SIDE, UNKNOWN, Bytes, Media
from providers.probe.ts import packets
from tests.providers.media import MEDIA, fragments, media

# What ffprobe says of these files. Sizes, codecs and duration of tests/providers/fixtures/media.
EXPECTED = {
    "av1-640x360.mp4": ("MP4", 640, 360, "av01.0.01M.08", 2.0),
    "fmp4-1920x1080.mp4": ("MP4", 1920, 1080, "avc1.640033", 0.0),
    "fmp4-3840x2160.mp4": ("MP4", 3840, 2160, "avc1.64003c", 0.0),
    "hevc-1280x544.mp4": ("MP4", 1280, 544, "hvc1.1.6.L93.90", 2.0),
    "hevc-1280x720.ts": ("MPEG-TS", 1280, 720, "", 0.0),
    "moov-first-1920x804.mp4": ("MP4", 1920, 804, "avc1.640032,mp4a.40.2", 2.0),
    "moov-last-1280x720.mp4": ("MP4", 1280, 720, "avc1.640032,mp4a.40.2", 2.0),
    "mpeg2-1280x720.ts": ("MPEG-TS", 1280, 720, "", 0.0),
    "segment-1920x1080.ts": ("MPEG-TS", 1920, 1080, "avc1.640033", 0.0),
    "vp9-640x360.mp4": ("MP4", 640, 360, "vp09.00.21.08", 2.0),
    "vp9-640x360.webm": ("WebM", 640, 360, "", 2.0),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_real_file_is_measured(name: str) -> None:
    container, width, height, codecs, duration = EXPECTED[name]
    assert measure(Bytes(media(name))) == Media(
        container=container, width=width, height=height, codecs=codecs, duration_s=duration, has_video=True
    )


@pytest.mark.parametrize("name", ["sound.mp4", "sound.ts"])
def test_sound_alone_is_known_to_have_no_video(name: str) -> None:
    found = measure(Bytes(media(name)))
    assert found.has_video is False
    assert not found.measured


def test_every_fixture_has_its_expectation() -> None:
    assert set(MEDIA) == set(EXPECTED) | {"sound.mp4", "sound.ts"}


def test_an_init_section_alone_is_enough() -> None:
    init, rest = fragments("fmp4-3840x2160.mp4")
    assert measure(Bytes(init)).width == 3840
    assert measure(Bytes(rest)) == Media(container="MP4")


def test_the_codec_header_is_believed_before_the_container() -> None:
    honest = media("moov-first-1920x804.mp4")
    entry = honest.index(b"avc1", honest.index(b"stsd")) + 4 + 24
    assert honest[entry : entry + 4] == (1920).to_bytes(2, "big") + (804).to_bytes(2, "big")
    lying = honest[:entry] + (3840).to_bytes(2, "big") + (1608).to_bytes(2, "big") + honest[entry + 4 :]
    found = measure(Bytes(lying))
    assert (found.width, found.height) == (1920, 804)


def test_the_container_is_believed_where_the_codec_header_is_elsewhere() -> None:
    whole = media("moov-first-1920x804.mp4")
    found = measure(Bytes(whole.replace(b"avcC", b"free")))
    assert (found.width, found.height, found.codecs) == (1920, 804, "mp4a.40.2")


@pytest.mark.parametrize("unknown", [b"\x01" + b"\xff" * 7, b"\xff"])
def test_a_webm_of_unknown_size_is_measured(unknown: bytes) -> None:
    whole = media("vp9-640x360.webm")
    segment = whole.index(b"\x18\x53\x80\x67") + 4
    assert whole[segment] == 0x01
    live = whole[:segment] + unknown + whole[segment + 8 :]
    assert measure(Bytes(live)) == measure(Bytes(whole))


def test_a_webm_counts_in_milliseconds_unless_it_says_otherwise() -> None:
    scale, padding = b"\x2a\xd7\xb1\x83\x0f\x42\x40", b"\xec\x85" + bytes(5)
    whole = media("vp9-640x360.webm")
    assert scale in whole
    assert measure(Bytes(whole.replace(scale, padding))).duration_s == 2.0
    assert measure(Bytes(whole.replace(scale, scale[:4] + b"\x1e\x84\x80"))).duration_s == 4.0


def test_numbers_that_no_film_has_are_not_passed_on() -> None:
    whole = media("vp9-640x360.webm")
    width = b"\xb0\x82" + (640).to_bytes(2, "big")
    assert width in whole
    found = measure(Bytes(whole.replace(width, b"\xb0\x82\xff\xff")))
    assert (found.width, found.height, found.measured, found.has_video) == (0, 0, False, True)
    film = media("moov-first-1920x804.mp4")
    length = film.index(b"mvhd") + 4 + 16
    endless = film[:length] + b"\xff\xff\xff\xfe" + film[length + 4 :]
    assert measure(Bytes(endless)).duration_s == 0.0


def test_what_a_packet_holds_begins_after_its_adaptation_field() -> None:
    packet = b"\x47\x41\x23\x30" + b"\x07" + b"\xaa" * 7 + bytes(range(176))
    alone = b"\x47\x41\x23\x20" + b"\xb7" + bytes(183)
    assert list(packets(packet + alone)) == [(0x123, True, bytes(range(176)))]


def test_cover_art_is_no_video() -> None:
    found = measure(Bytes(media("moov-first-1920x804.mp4").replace(b"avc1", b"jpeg")))
    assert found.has_video is False


def test_a_transport_stream_may_begin_in_the_middle_of_a_packet() -> None:
    assert measure(Bytes(media("segment-1920x1080.ts")[100:])).container == "MPEG-TS"
    late = measure(Bytes(b"ID3junk" + media("segment-1920x1080.ts")))
    assert (late.width, late.height) == (1920, 1080)


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"", "nothing (an empty body)"),
        (b"<!DOCTYPE html><title>gone</title>", "an HTML page"),
        (b"\xef\xbb\xbf\n <HTML><body>no", "an HTML page"),
        (b'{"error": "gone"}', "text"),
        (b"#EXTM3U\n#EXT-X-VERSION:3\n", "text"),
        ("nicht verfügbar ".encode() * 100, "text"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "a PNG image"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "a JPEG image"),
        (b"%PDF-1.7\n", "a PDF document"),
    ],
)
def test_what_is_no_media_is_named(body: bytes, what: str) -> None:
    with pytest.raises(NotMedia, match=what.replace("(", r"\(").replace(")", r"\)")):
        measure(Bytes(body))


def test_text_cut_in_the_middle_of_a_character_is_still_text() -> None:
    with pytest.raises(NotMedia):
        measure(Bytes(b"x" * 511 + "ü".encode()))


def test_bytes_of_no_container_are_unknown() -> None:
    assert measure(Bytes(bytes(range(256)) * 8)) == UNKNOWN


def _tolerated(data: bytes) -> None:
    try:
        found = measure(Bytes(data))
    except NotMedia:
        return
    assert 0 <= found.width <= MAX_SIDE
    assert 0 <= found.height <= MAX_SIDE
    assert 0 <= found.duration_s <= 1_000_000


@settings(deadline=None)
@given(st.binary(max_size=3000))
def test_no_bytes_crash_the_parsers(data: bytes) -> None:
    _tolerated(data)


@settings(deadline=None)
@given(st.sampled_from([b"\0\0\0\x18ftyp", b"\x1a\x45\xdf\xa3", b"\0\0\0\0moov"]), st.binary(max_size=2000))
def test_no_bytes_after_a_good_beginning_crash_the_parsers(beginning: bytes, data: bytes) -> None:
    _tolerated(beginning + data)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(MEDIA),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=12),
    st.floats(0, 1),
)
def test_no_damage_to_a_real_file_crashes_the_parsers(
    name: str, damage: list[tuple[float, int]], kept: float
) -> None:
    data = bytearray(media(name))
    for place, byte in damage:
        data[int(place * len(data))] = byte
    _tolerated(bytes(data[: int(kept * len(data)) + 1]))


@pytest.mark.parametrize("name", MEDIA)
def test_a_file_cut_off_anywhere_is_measured_truly_or_not_at_all(name: str) -> None:
    whole = media(name)
    true = measure(Bytes(whole))
    for length in range(1, len(whole), 7):
        try:
            found = measure(Bytes(whole[:length]))
        except NotMedia:
            continue
        assert (found.width, found.height) in {(0, 0), (true.width, true.height)}, length
