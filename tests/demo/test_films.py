"""films.json says only what is true of the files beside it, and what a viewer must be told."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from demo import art, catalogue, manifests
from demo.catalogue import MEDIA, CatalogueError, Film, Rendition

FILMS = catalogue.load()
CLIPS = [(film, each) for film in FILMS for each in film.renditions if each.has_clip]
each_film = pytest.mark.parametrize("film", FILMS, ids=lambda film: film.title)
each_clip = pytest.mark.parametrize(
    ("film", "rendition"), CLIPS, ids=[f"{film.tmdb_id}/{each.id}" for film, each in CLIPS]
)


def measured(clip: bytes) -> tuple[int, int]:
    """Width and height as the sample entry of the video track says (ISO/IEC 14496-12 section 12.1.3)."""
    entry = clip.index(b"avc1", clip.index(b"stsd")) + 4
    return int.from_bytes(clip[entry + 24 : entry + 26], "big"), int.from_bytes(
        clip[entry + 26 : entry + 28], "big"
    )


def test_about_a_dozen_films_with_all_kinds_of_delivery() -> None:
    assert 10 <= len(FILMS) <= 15
    assert {each.delivery for film in FILMS for each in film.renditions} == {"hls", "dash", "progressive"}


@each_film
def test_every_film_names_its_licence_and_whom_to_thank(film: Film) -> None:
    assert film.licence
    assert film.licence_url.startswith("https://creativecommons.org/")
    assert len(film.attribution) > 10
    assert 60 < len(film.summary) < 400


@each_clip
def test_a_clip_has_the_pixels_that_it_is_listed_with(film: Film, rendition: Rendition) -> None:
    clip = (MEDIA / str(film.tmdb_id) / f"{rendition.id}.mp4").read_bytes()
    assert measured(clip) == (rendition.width, rendition.height)


@each_clip
def test_every_file_of_a_clip_is_there(film: Film, rendition: Rendition) -> None:
    assert [name for name in rendition.files if not (MEDIA / str(film.tmdb_id) / name).is_file()] == []


def test_no_file_lies_there_that_no_film_names() -> None:
    named = {MEDIA / str(film.tmdb_id) / name for film, each in CLIPS for name in each.files}
    there = {path for path in MEDIA.rglob("*") if path.is_file()}
    assert there - named == {MEDIA / "audio.mp4", MEDIA / "audio.m3u8"}


def test_all_media_together_stay_under_two_megabytes() -> None:
    assert sum(path.stat().st_size for path in MEDIA.rglob("*") if path.is_file()) < 2_000_000


@pytest.mark.parametrize(
    "path", sorted(MEDIA.rglob("*.m3u8")), ids=lambda path: f"{path.parent.name}/{path.name}"
)
def test_a_playlist_names_files_and_bytes_that_exist(path: Path) -> None:
    text = path.read_text()
    assert "PROGRAM-DATE-TIME" not in text
    for line in text.splitlines():
        if line and not line.startswith("#"):
            assert (path.parent / line).is_file()
        if line.startswith("#EXT-X-BYTERANGE:"):
            size, first = map(int, line.partition(":")[2].split("@"))
            clip = (
                path.parent / (path.name.removesuffix(".m3u8").removesuffix(".video") + ".mp4")
            ).read_bytes()
            assert clip[first + 4 : first + 8] == b"moof"
            assert [box.kind for box in manifests.boxes(clip, first, first + size)][:2] == ["moof", "mdat"]


@pytest.mark.parametrize(
    "path", sorted(MEDIA.rglob("*.mpd")), ids=lambda path: f"{path.parent.name}/{path.name}"
)
def test_a_manifest_points_at_the_index_of_each_file(path: Path) -> None:
    name = {"mpd": "urn:mpeg:dash:schema:mpd:2011"}
    for representation in ET.parse(path).getroot().iterfind(".//mpd:Representation", name):
        base, segments = (
            representation.find("mpd:BaseURL", name),
            representation.find("mpd:SegmentBase", name),
        )
        assert base is not None
        assert segments is not None
        data = (path.parent / str(base.text)).read_bytes()
        first, last = map(int, segments.attrib["indexRange"].split("-"))
        assert data[first + 4 : first + 8] == b"sidx"
        assert int.from_bytes(data[first : first + 4], "big") == last - first + 1


@each_film
def test_a_poster_is_small_well_formed_and_bears_the_title(film: Film) -> None:
    svg = art.poster(film)
    assert len(svg.encode()) < 5_000
    root = ET.fromstring(svg)
    words = [text.text or "" for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert " ".join(words).startswith(film.title.upper())
    assert not [each for each in root.iter() if each.tag.endswith(("script", "image", "foreignObject"))]


@each_film
def test_a_backdrop_is_small_and_well_formed(film: Film) -> None:
    svg = art.backdrop(film)
    assert len(svg.encode()) < 5_000
    ET.fromstring(svg)


def test_the_picture_of_a_clip_says_that_it_is_generated_and_how_many_pixels_it_has() -> None:
    film, rendition = CLIPS[0]
    still = art.still(film, rendition)
    assert "Generated demo clip, not the film itself" in still
    assert f"{rendition.height}p</text>" in still


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"tmdb_id": 0}, "tmdb_id is a number"),
        ({"imdb_id": "1254207"}, "imdb_id is like"),
        ({"genres": ["Cartoon"]}, "genres are of"),
        ({"lists": ["best"]}, "lists are of"),
        ({"released": "1926"}, "ValueError"),
        ({"scene": "../origin"}, "scene is the name"),
        ({"sky": ["blue"]}, "sky is two colours"),
        ({"rights": {"licence": "CC0"}}, "licence_url"),
        ({"renditions": [{"id": "a", "delivery": "rtmp", "height": 720}]}, "delivery is one of"),
        ({"renditions": [{"id": "a", "delivery": "hls", "height": 700}]}, "height is one of"),
        ({"renditions": [{"id": "../a", "delivery": "hls", "height": 720}]}, "id is of a-z"),
        ({"renditions": [{"id": "a", "delivery": "hls", "height": 720, "form": 5}]}, "form"),
        (
            {"renditions": [{"id": "a", "delivery": "hls", "height": 720, "from": 9, "until": 5}]},
            "must come after",
        ),
        (
            {"renditions": [{"id": "a", "delivery": "hls", "height": 720, "from": 90, "every": 60}]},
            "not after",
        ),
        ({"renditions": [{"id": "a", "delivery": "hls", "height": 720}] * 2}, "stands there twice"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_mistake_in_films_json_is_named(tmp_path: Path, change: dict[str, object], says: str) -> None:
    row = json.loads(catalogue.FILMS.read_text("utf-8"))["films"][1]
    path = tmp_path / "films.json"
    path.write_text(json.dumps({"films": [{**row, **change}]}))
    with pytest.raises(CatalogueError, match=says):
        catalogue.load(path)


def test_two_films_with_one_id_are_refused(tmp_path: Path) -> None:
    row = json.loads(catalogue.FILMS.read_text("utf-8"))["films"][1]
    path = tmp_path / "films.json"
    path.write_text(json.dumps({"films": [row, row]}))
    with pytest.raises(CatalogueError, match="tmdb_id 10378 stands there twice"):
        catalogue.load(path)
