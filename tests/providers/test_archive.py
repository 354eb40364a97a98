"""What is special to the Internet Archive: two rounds, licences, and what of an item is the film."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from providers.adapters.archive import MAX_FILES, MAX_ITEMS, Archive
from providers.errors import ProviderBadResponse, ProviderRefused, ProviderTransient
from providers.http import GuardedSession
from providers.messages import Request, Response
from providers.types import MovieRef, SearchAnswer
from tests.providers.origin import Answer, Origin

BASE = "https://archive.example.org"
BUNNY = MovieRef(
    tmdb_id=10378, title="Big Buck Bunny", original_title="Bunny Grande", year=2008, runtime_min=10
)
BY = "http://creativecommons.org/licenses/by/3.0/"
ITEM: dict[str, Any] = {
    "identifier": "bbb",
    "title": "Big Buck Bunny",
    "year": "2008",
    "mediatype": "movies",
    "licenseurl": BY,
}
FILE: dict[str, Any] = {
    "name": "bbb.mp4",
    "format": "h.264",
    "source": "derivative",
    "length": "596.5",
    "width": "1280",
    "height": "720",
}


def archive(**config: object) -> Archive:
    return Archive({"base_url": BASE, **config})


def response(body: object) -> Response:
    return Response(status=200, headers={}, body=json.dumps(body).encode(), url=BASE)


def found_items(*docs: object) -> Response:
    return response({"response": {"numFound": len(docs), "docs": list(docs)}})


def detail(*files: object, **about: object) -> Response:
    return response({"metadata": {**ITEM, **about}, "files": list(files)})


def asked_for(*docs: object, movie: MovieRef = BUNNY, **config: object) -> list[str]:
    """The items whose metadata a search goes on to ask for."""
    return [r.url for r in archive(**config).build_details(movie, [found_items(*docs)])]


def read(*details: Response, movie: MovieRef = BUNNY, **config: object) -> SearchAnswer:
    docs = [{**ITEM, "identifier": f"bbb-{number}"} for number in range(len(details))]
    return archive(**config).parse_search(movie, [found_items(*docs), *details])


def names(answer: SearchAnswer) -> list[str]:
    return [candidate.url.rpartition("/")[2] for candidate in answer.candidates]


# Asking


def query(movie: MovieRef = BUNNY, **config: object) -> str:
    (request,) = archive(**config).build_search(movie)
    assert request.url == f"{BASE}/advancedsearch.php"
    return request.params["q"]


def test_it_asks_the_archive_unless_another_place_is_entered() -> None:
    (request,) = Archive({}).build_search(BUNNY)
    assert request.url == "https://archive.org/advancedsearch.php"


def test_the_query_names_titles_years_and_licences() -> None:
    assert query() == (
        'mediatype:movies AND title:("Big Buck Bunny" OR "Bunny Grande")'
        " AND (year:[2007 TO 2009] OR title:(2007 OR 2008 OR 2009)) AND licenseurl:*creativecommons*"
    )
    assert query(public_domain_only=True).endswith("licenseurl:*publicdomain*")
    assert query(collection="feature_films").endswith(' AND collection:"feature_films"')


def test_a_title_cannot_end_its_phrase() -> None:
    movie = MovieRef(tmdb_id=1, title='") OR mediatype:(texts\\', year=2000)
    assert 'title:("\\") OR mediatype:(texts\\\\")' in query(movie)


@pytest.mark.parametrize("lacking", [{"year": None}, {"title": "..."}])
def test_without_a_year_or_a_title_nothing_is_asked(lacking: dict[str, Any]) -> None:
    movie = MovieRef(**{"tmdb_id": 1, "title": "Film", "year": 2000, **lacking})
    assert archive().build_search(movie) == ()


# Which items


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"title": "BIG BUCK BUNNY!"},
        {"title": "Bunny Grande"},
        {"title": ["Big Buck Bunny", "Peach"]},
        {"year": 2009},
        {"year": None, "date": "2008-05-20T00:00:00Z"},
        {"title": "Big Buck Bunny (2008)", "year": "2021"},
        {"licenseurl": "https://creativecommons.org/licenses/by-sa/4.0/deed.de"},
        {"licenseurl": "https://www.creativecommons.org/licenses/by-nd/4.0"},
        {"licenseurl": "http://creativecommons.org/licenses/publicdomain/"},
        {"licenseurl": "https://creativecommons.org/publicdomain/mark/1.0/"},
        {"licenseurl": "https://creativecommons.org/publicdomain/zero/1.0/"},
    ],
)
def test_an_item_that_is_the_film_under_a_free_licence_is_looked_at(changes: dict[str, Any]) -> None:
    assert asked_for({**ITEM, **changes}) == [f"{BASE}/metadata/bbb"]


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "Big Buck Bunny - Trailer"},
        {"title": "Big Buck"},
        {"title": None},
        {"year": "2006"},
        {"year": None},
        {"title": "Big Buck Bunny (2015)"},
        {"mediatype": "texts"},
        {"licenseurl": None},
        {"licenseurl": "https://example.org/creativecommons.org/licenses/by/3.0/"},
        {"licenseurl": "https://creativecommons.org.example.org/licenses/by/3.0/"},
        {"licenseurl": "https://creativecommons.org/licenses/by-nc/4.0/"},
        {"licenseurl": "https://creativecommons.org/licenses/by-nc-sa/3.0/us/"},
        {"licenseurl": "http://creativecommons.org/licenses/by-nd-nc/1.0/"},
        {"licenseurl": "http://rightsstatements.org/vocab/InC/1.0/"},
        {"access-restricted-item": "true"},
        {"access-restricted-item": True},
    ],
)
def test_any_other_item_is_left_alone(changes: dict[str, Any]) -> None:
    assert asked_for({**ITEM, **changes}) == []


def test_an_operator_widens_and_narrows_the_licences() -> None:
    by_nc = {**ITEM, "licenseurl": "https://creativecommons.org/licenses/by-nc/4.0/"}
    mark = {**ITEM, "licenseurl": "https://creativecommons.org/publicdomain/mark/1.0/"}
    assert asked_for(by_nc, non_commercial=True)
    assert not asked_for(ITEM, public_domain_only=True)
    assert not asked_for(by_nc, public_domain_only=True, non_commercial=True)
    assert asked_for(mark, public_domain_only=True)


def test_only_the_most_wanted_items_are_looked_at() -> None:
    docs = [{**ITEM, "identifier": f"bbb-{number}"} for number in (3, 1, 4, 1, 5, 9, 2)]
    assert asked_for(*docs) == [f"{BASE}/metadata/bbb-{n}" for n in (3, 1, 4, 5)][:MAX_ITEMS]


@pytest.mark.parametrize("identifier", ["../../admin", "", "-b", "a b", "a" * 101, None, {"a": 1}])
def test_an_item_whose_name_is_none_is_skipped_and_counted(
    identifier: object, caplog: pytest.LogCaptureFixture
) -> None:
    docs = found_items({**ITEM, "identifier": identifier}, "row")
    assert archive().build_details(BUNNY, [docs]) == ()
    assert archive().parse_search(BUNNY, [docs]) == SearchAnswer(candidates=(), skipped=2)
    assert "an item of the search for movie 10378 skipped" in caplog.text


# Which files


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"name": "Big Buck Bunny.m4v", "format": "HiRes MPEG4"},
        {"name": "bbb.webm", "format": "WebM"},
        {"format": "h.264 IA"},
        {"format": "512Kb MPEG4"},
        {"format": "MPEG4", "source": "original"},
        {"length": "9:56"},
        {"length": "0:09:56"},
        {"length": "480.0"},
        {"width": None, "height": None},
    ],
)
def test_a_file_that_plays_and_lasts_as_long_is_the_film(changes: dict[str, Any]) -> None:
    assert len(read(detail({**FILE, **changes})).candidates) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "bbb.ogv", "format": "Ogg Video"},
        {"name": "bbb.avi", "format": "Cinepack"},
        {"name": "bbb.mkv", "format": "Matroska"},
        {"name": "bbb.gif", "format": "Animated GIF"},
        {"name": "bbb.mp4", "format": "Thumbnail"},
        {"name": "bbb.thumbs/bbb_000001.jpg", "format": "Thumbnail"},
        {"name": "extras/teaser.mp4"},
        {"name": "Big Buck Bunny - Sample.mp4"},
        {"name": "bbb_director_commentary.mp4"},
        {"length": "33"},
        {"length": "300"},
        {"length": "1800"},
        {"length": None},
        {"length": "soon"},
        {"private": "true"},
        {"private": True},
    ],
)
def test_any_other_file_is_not(changes: dict[str, Any]) -> None:
    assert read(detail({**FILE, **changes})) == SearchAnswer(candidates=())


def test_a_word_of_the_films_own_title_makes_no_extra() -> None:
    movie = MovieRef(tmdb_id=1, title="The Sample", year=2008, runtime_min=10)
    about = detail({**FILE, "name": "the_sample.mp4"}, title="The Sample")
    docs = found_items({**ITEM, "title": "The Sample"})
    assert len(archive().parse_search(movie, [docs, about]).candidates) == 1


def test_where_nobody_knows_the_runtime_the_longest_files_are_the_film() -> None:
    movie = MovieRef(tmdb_id=10378, title="Big Buck Bunny", year=2008)
    files = [{**FILE, "name": f"{s}.mp4", "length": str(s)} for s in (5400, 5410, 600, 2000)]
    assert names(read(detail(*files), movie=movie)) == ["5400.mp4", "5410.mp4"]


def test_the_largest_pictures_of_an_item_come_first_and_not_too_many() -> None:
    files = [{**FILE, "name": f"{n}.mp4", "width": str(100 * n), "height": str(56 * n)} for n in range(1, 10)]
    answer = read(detail(*files))
    assert names(answer) == [f"{n}.mp4" for n in range(9, 9 - MAX_FILES, -1)]
    assert answer.candidates[0].claimed == "900x504"


def test_files_of_several_items_are_candidates_of_their_own() -> None:
    answer = read(detail(FILE), detail(FILE, licenseurl="https://creativecommons.org/publicdomain/zero/1.0/"))
    assert [c.url for c in answer.candidates] == [f"{BASE}/download/bbb-{n}/bbb.mp4" for n in (0, 1)]
    assert [c.rights.licence for c in answer.candidates] == ["CC BY 3.0", "CC0 1.0"]


def test_a_name_is_quoted_as_a_path() -> None:
    (found,) = read(detail({**FILE, "name": "Content/100% Bunny? #1 é.mp4"})).candidates
    assert found.url == f"{BASE}/download/bbb-0/Content/100%25%20Bunny%3F%20%231%20%C3%A9.mp4"


@pytest.mark.parametrize(
    "wrong", ["bbb.mp4", None, {}, {"name": 7}, {"name": "a\nb.mp4"}, {"name": "\ud800.mp4"}]
)
def test_a_file_without_a_name_is_skipped_and_counted(wrong: object) -> None:
    answer = read(detail(wrong, FILE))
    assert (len(answer.candidates), answer.skipped) == (1, 1)


def test_what_the_metadata_says_counts_more_than_the_search() -> None:
    """The index of the search may be days behind."""
    assert not read(detail(FILE, licenseurl=None)).candidates
    assert not read(detail(FILE, title="Another film")).candidates
    assert not read(detail(FILE, **{"access-restricted-item": "true"})).candidates


@pytest.mark.parametrize("body", [{}, {"is_dark": True, "metadata": {"identifier": "bbb"}}])
def test_an_item_that_is_gone_or_closed_has_no_files(body: object) -> None:
    assert read(response(body)) == SearchAnswer(candidates=())


@pytest.mark.parametrize(
    "body", [[], 7, {"error": "busy"}, {"metadata": [], "files": []}, {"metadata": ITEM}]
)
def test_metadata_of_another_form_are_a_bad_response(body: object) -> None:
    with pytest.raises(ProviderBadResponse, match='"metadata"'):
        read(response(body))


@pytest.mark.parametrize(
    ("creator", "attribution"),
    [
        (["Blender Foundation", "Peach"], "Blender Foundation, Peach | archive.org/details/bbb-0"),
        ("Blender\nFoundation", "Blender Foundation | archive.org/details/bbb-0"),
        (None, "archive.org/details/bbb-0"),
        ([None, {}], "archive.org/details/bbb-0"),
    ],
)
def test_whoever_made_it_is_named_with_its_page(creator: object, attribution: str) -> None:
    (found,) = read(detail(FILE, creator=creator)).candidates
    assert found.rights.attribution == attribution
    assert found.rights.licence_url == "https://creativecommons.org/licenses/by/3.0/"


def test_of_too_many_makers_the_first_are_named_and_their_page_is_whole() -> None:
    (found,) = read(detail(FILE, creator=[f"Maker {number}" for number in range(99)])).candidates
    assert found.rights.attribution.startswith("Maker 0, Maker 1,")
    assert found.rights.attribution.endswith(", … | archive.org/details/bbb-0")
    assert len(found.rights.attribution) <= 500


# Both rounds


def test_the_second_round_follows_from_the_first_and_each_answer_is_handed_on() -> None:
    asked: list[str] = []

    def send(request: Request) -> Response:
        asked.append(request.url)
        return found_items(ITEM) if len(asked) == 1 else detail(FILE)

    responses = list(archive().ask(BUNNY, send))
    assert asked == [f"{BASE}/advancedsearch.php", f"{BASE}/metadata/bbb"]
    assert names(archive().parse_search(BUNNY, responses)) == ["bbb.mp4"]


def test_a_film_that_cannot_be_asked_for_gets_no_second_round() -> None:
    def send(request: Request) -> Response:
        raise AssertionError(request)

    nameless = MovieRef(tmdb_id=1, title="Film")
    responses: Sequence[Response] = list(archive().ask(nameless, send))
    assert archive().parse_search(nameless, responses) == SearchAnswer(candidates=())


def test_one_item_out_of_reach_is_a_failure_and_no_shorter_answer(origin: Origin) -> None:
    docs = {"response": {"docs": [ITEM, {**ITEM, "identifier": "other"}]}}
    origin.on("/advancedsearch.php", Answer(body=json.dumps(docs).encode()))
    origin.on("/metadata/bbb", Answer(body=detail(FILE).body))
    origin.on("/metadata/other", Answer(500, b"busy"))
    with (
        GuardedSession(provider="archive", trusted_origins=[origin.url], max_retries=0) as session,
        pytest.raises(ProviderTransient),
    ):
        list(Archive({"base_url": origin.url}).ask(BUNNY, session.send))
    assert origin.paths() == ["/advancedsearch.php", "/metadata/bbb", "/metadata/other"]


def test_the_default_hosts_let_a_download_go_to_its_machine() -> None:
    def refused(url: str) -> str:
        def resolve(host: str, port: int) -> list[str]:
            raise OSError("no such host in a test")

        hosts = Archive.default_hosts
        with GuardedSession(
            provider="archive", allowed_hosts=hosts, max_retries=0, resolve=resolve
        ) as session:
            try:
                session.fetch(Request(url=url))
            except ProviderRefused as error:
                return error.message
            except ProviderTransient:
                return ""
        raise AssertionError("it cannot have been fetched")

    assert not refused("https://archive.org/download/bbb/bbb.mp4")
    assert not refused("https://ia800301.us.archive.org/1/items/bbb/bbb.mp4")
    assert refused("https://archive.org.example.org/bbb.mp4")
