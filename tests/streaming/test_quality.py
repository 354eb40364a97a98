"""The ladder against a table that a reader can check by eye, and the laws that hold for any text or size."""

from __future__ import annotations

import itertools
import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.quality import MAX_TEXT_CHARS, Quality

TABLE = Path(__file__).parent / "data" / "release_names.tsv"
PIXELS = st.integers(min_value=1, max_value=20_000)
SCRAPS = ["cam", "ts", "hd", "4k", "1080p", "720", "(2019)", "-", ".", "[", "]", "x264", "web-dl", "Film"]
QUALITIES = st.sampled_from(Quality)


def rows() -> list[tuple[str, str]]:
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    pairs = (line.split("\t") for line in lines if line and not line.startswith("#"))
    return [(text, label) for text, label in pairs]


def claimed(text: str) -> str:
    quality = Quality.parse(text)
    return "-" if quality is None else quality.label


@pytest.mark.parametrize(("text", "label"), rows())
def test_a_text_claims_what_the_table_says(text: str, label: str) -> None:
    assert claimed(text) == label


def test_the_table_is_large_and_says_nothing_twice() -> None:
    texts = [text for text, _ in rows()]
    assert len(texts) == len(set(texts)) > 700


def test_thousands_of_titles_take_a_moment() -> None:
    texts = [text for text, _ in rows()] * 7
    started = time.process_time()
    for text in texts:
        Quality.parse(text)
    assert (time.process_time() - started) / len(texts) < 0.001


@pytest.mark.parametrize(
    "text",
    ["cam " * 9999, "a" * 99999, "dts-" * 9999, "4k digital " * 9999, "1" * 99999, "(" * 99999, "ﷺ" * 99999],
)
def test_a_hostile_text_takes_no_longer_than_a_moment(text: str) -> None:
    started = time.process_time()
    Quality.parse(text)
    assert time.process_time() - started < 0.5


# --- the ladder -------------------------------------------------------------------------------------


def test_the_ladder_from_worst_to_best() -> None:
    labels = [quality.label for quality in sorted(Quality)]
    assert labels == ["CAM", "SD", "720p", "1080p", "1440p", "2160p"]


def test_stored_values_never_change() -> None:
    assert {quality.name: quality.value for quality in Quality} == {
        "CAM": 10,
        "SD": 20,
        "P720": 30,
        "P1080": 40,
        "P1440": 50,
        "P2160": 60,
    }


@given(QUALITIES, QUALITIES, QUALITIES)
def test_order_is_total(a: Quality, b: Quality, c: Quality) -> None:
    assert (a < b) + (a == b) + (a > b) == 1
    assert not (a <= b <= c) or a <= c


@given(QUALITIES)
def test_label_value_and_text_lead_back_to_the_rung(quality: Quality) -> None:
    assert Quality.from_label(quality.label.swapcase()) is quality
    assert Quality(int(json.dumps(quality))) is quality
    assert Quality.parse(quality.label) is quality
    assert str(quality) == f"{quality}" == quality.label


@pytest.mark.parametrize("label", ["", "4K", "1080", " 1080p", "HDCAM", "P1080", "30"])
def test_a_label_that_is_none_is_refused_with_those_there_are(label: str) -> None:
    with pytest.raises(ValueError, match="allowed: CAM, SD, 720p, 1080p, 1440p, 2160p"):
        Quality.from_label(label)


# --- pixels -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("width", "height", "label"),
    [
        (1920, 1080, "1080p"),
        (1920, 804, "1080p"),  # 2.39:1, black bars cut away
        (1440, 1080, "1080p"),  # 4:3
        (2048, 858, "1080p"),  # the cinema's 2K
        (1824, 760, "1080p"),  # 5 % short of 1920
        (1823, 760, "720p"),
        (1280, 534, "720p"),
        (1216, 100, "720p"),
        (1215, 100, "SD"),
        (100, 684, "720p"),
        (100, 683, "SD"),
        (2560, 1070, "1440p"),
        (2432, 1, "1440p"),
        (3840, 1600, "2160p"),
        (3648, 1, "2160p"),
        (3647, 1, "1440p"),
        (7680, 4320, "2160p"),
        (720, 576, "SD"),
        (1, 1, "SD"),
        (1080, 1920, "1440p"),  # upright: its 1920 lines count as lines
    ],
)
def test_pixels_give_the_higher_rung_of_width_and_height(width: int, height: int, label: str) -> None:
    assert str(Quality.from_size(width, height)) == label


@pytest.mark.parametrize(("width", "height"), [(0, 0), (0, 1080), (1920, 0), (-1920, 1080), (1920, -1)])
def test_no_picture_has_no_rung(width: int, height: int) -> None:
    assert Quality.from_size(width, height) is None


@given(PIXELS, PIXELS, PIXELS, PIXELS)
def test_more_pixels_are_never_a_lower_rung(width: int, height: int, wider: int, taller: int) -> None:
    small, large = Quality.from_size(width, height), Quality.from_size(width + wider, height + taller)
    assert small is not None
    assert large is not None
    assert Quality.CAM < small <= large


@given(st.integers(480, 1920), st.integers(480, 1900))
def test_a_size_in_words_is_the_size_in_pixels(width: int, height: int) -> None:
    assert Quality.parse(f"Some.Film.2019.{width}x{height}.WEB-DL") is Quality.from_size(width, height)


# --- any text ---------------------------------------------------------------------------------------


@given(st.text())
def test_no_text_is_too_odd(text: str) -> None:
    assert Quality.parse(text) in {None, *Quality}


@given(st.lists(st.sampled_from(SCRAPS)))
def test_no_mixture_of_tags_is_too_odd(words: list[str]) -> None:
    assert Quality.parse("".join(words)) in {None, *Quality}
    assert Quality.parse(" ".join(words)) in {None, *Quality}


@given(
    st.text(max_size=200), st.sampled_from(["(CAM)", "HDCAM", "CAMRip", "[TS]", "HD-TS", "TELESYNC", "HDTC"])
)
def test_a_camera_tag_makes_any_text_a_camera_recording(text: str, tag: str) -> None:
    assert Quality.parse(f"{text} {tag}") is Quality.CAM


@given(st.sampled_from([text for text, label in rows() if label not in {"-", "CAM"}]))
def test_a_camera_tag_beats_every_claim_in_the_table(text: str) -> None:
    assert Quality.parse(f"{text} HDCAM") is Quality.CAM


@given(st.text(alphabet=st.characters(categories=["Ll"]), max_size=30).filter(str.isalpha), QUALITIES)
def test_a_stated_rung_after_any_word_is_that_rung(word: str, quality: Quality) -> None:
    claim = "HDCAM" if quality is Quality.CAM else "DVDRip" if quality is Quality.SD else quality.label
    found = Quality.parse(f"{word} 2019 {claim} x264")
    assert found is quality or found is Quality.CAM


@pytest.mark.parametrize(
    "text",
    [
        "HDCAM",
        "1080p WEB-DL",
        "4K UHD",
        "FullHD",
        "Film.2019.HDTS.x264-GRP",
        "Film.2019.720p.BluRay",
        "DVDRip",
        "HD",
    ],
)
def test_case_does_not_matter_to_clear_tags(text: str) -> None:
    cases = {text, text.upper(), text.lower(), text.swapcase(), text.title()}
    assert len({Quality.parse(case) for case in cases}) == 1


def test_what_comes_after_the_limit_is_not_read() -> None:
    filler = "word " * (MAX_TEXT_CHARS // 5)
    assert Quality.parse(f"1080p {filler}") is Quality.P1080
    assert Quality.parse(f"{filler} 1080p") is None


def test_a_word_cut_at_the_limit_is_not_read_as_a_shorter_one() -> None:
    for spare, word in itertools.product(range(12), ["hdcamera", "telesynchrony", "1080pixels"]):
        text = "x" * (MAX_TEXT_CHARS - spare) + f" {word} {word}"
        assert Quality.parse(text) is None, (spare, word)


def test_lower_case_ts_at_the_end_of_a_file_name_is_a_container() -> None:
    assert Quality.parse("Film.2019.1080p.ts") is Quality.P1080
    assert Quality.parse("Film.2019.1080p.TS") is Quality.CAM
