"""What the public pages show, and to whom they let the browser talk."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from streaming import switching
from streaming.models import Movie
from streaming.quality import Quality
from tests.streaming import factory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _plain_files(settings: Any) -> None:
    """Static files as they lie in the apps: `collectstatic` has not run here."""
    storage = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": storage}
    settings.TMDB_IMAGE_BASE_URL = "https://images.example/t/p/"


def published(movie_id: int, quality: Quality = Quality.P720, **facts: Any) -> int:
    """A film with one active stream."""
    movie = factory.movie(movie_id, **facts)
    factory.version(movie, "first", quality, licence="CC BY 4.0")
    switching.reconsider(movie_id, at=factory.NOW)
    return movie_id


def add_better(movie_id: int) -> None:
    """A better stream is found, and taken."""
    movie = Movie.objects.get(pk=movie_id)
    factory.version(movie, "better", Quality.P1080)
    switching.reconsider(movie_id, at=factory.NOW)


def page(client: Client, path: str = "/") -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return answer.content.decode()


def policy(client: Client, path: str) -> dict[str, list[str]]:
    """The content security policy by directive."""
    header = client.get(path).headers["Content-Security-Policy"]
    return {name: sources for name, *sources in (part.split() for part in header.split(";"))}


def test_films_are_shown_by_popularity_with_quality_year_poster_and_licence(client: Client) -> None:
    published(1, title="Less Seen", popularity=1)
    published(2, title="Well Seen", popularity=9, poster_path="/p.jpg", release_date="2010-05-01")
    html = page(client)
    assert html.index("Well Seen") < html.index("Less Seen")
    for shown in ("https://images.example/t/p/w342/p.jpg", ">2010<", "720p", "CC BY 4.0", 'href="/watch/2"'):
        assert shown in html


def test_what_the_public_may_not_see_is_not_shown(client: Client) -> None:
    factory.movie(1, title="No Stream Yet")
    switching.edit(
        published(2, title="Hidden One"), actor=factory.EDITOR, comment="", at=factory.NOW, hidden=True
    )
    switching.withdraw(published(3, title="Withdrawn One"), actor=factory.EDITOR, comment="", at=factory.NOW)
    html = page(client)
    assert "The first films arrive within a minute" in html
    for title in ("No Stream Yet", "Hidden One", "Withdrawn One"):
        assert title not in html
    assert client.get("/watch/2").status_code == client.get("/watch/3").status_code == 404


@pytest.mark.parametrize(
    ("query", "found"), [("tears", ["Tears of Steel"]), ("LOS HUÉRFANOS", []), ("100%", [])]
)
def test_search_reads_titles_and_takes_nothing_for_a_pattern(
    client: Client, query: str, found: list[str]
) -> None:
    published(1, title="Tears of Steel")
    published(2, title="Sintel", original_title="Sintel")
    html = client.get("/", {"q": query}).content.decode()
    assert ("Tears of Steel" in html) == ("Tears of Steel" in found)
    assert "Sintel" not in html
    assert found or "No film matches" in html


def test_what_was_searched_for_is_not_taken_for_markup(client: Client) -> None:
    html = client.get("/", {"q": "<script>alert(1)</script>"}).content.decode()
    assert "<script>alert" not in html


def test_pages_hold_24_films_each(client: Client) -> None:
    for number in range(1, 27):
        published(number, popularity=number)
    assert page(client).count('class="card"') == 24
    second = page(client, "/?page=2")
    assert second.count('class="card"') == 2
    assert "Page 2 of 2" in second
    assert page(client, "/?page=nonsense").count('class="card"') == 24


def test_upgrades_are_told_on_the_first_page(client: Client) -> None:
    movie_id = published(1, title="Sintel")
    add_better(movie_id)
    assert "Just got better" in page(client)
    assert "Just got better" not in page(client, "/?q=sintel")


def test_the_list_alone_is_what_the_page_asks_for_again(client: Client) -> None:
    published(1, title="Sintel")
    part = page(client, "/?part=films")
    assert "Sintel" in part
    assert "<html" not in part


@pytest.mark.parametrize("path", ["/watch/1", "/watch/1/"])
def test_a_film_is_shown_with_what_is_known_of_its_stream(client: Client, path: str) -> None:
    published(1, title="Sintel", overview="A search.", genres=["Fantasy"], runtime_min=15)
    html = page(client, path)
    for shown in ("Sintel", "A search.", "Fantasy", "15 min", "CC BY 4.0", "Added in 720p", "HLS"):
        assert shown in html
    assert 'data-events="/api/movies/1/stream-events"' in html


def test_whom_a_licence_asks_to_name_is_named_beside_the_film(client: Client) -> None:
    rights = {
        "licence": "CC BY 3.0",
        "licence_url": "https://licences.example/by",
        "attribution": "Makers & Co.",
    }
    factory.version(factory.movie(1), "first", Quality.P720, **rights)
    switching.reconsider(1, at=factory.NOW)
    html = page(client, "/watch/1")
    assert '<a href="https://licences.example/by" rel="license noopener">CC BY 3.0</a>' in html
    assert "<dt>Attribution</dt><dd>Makers &amp; Co.</dd>" in html
    assert 'title="Makers &amp; Co."' in page(client)


def test_a_film_without_a_stream_says_so(client: Client) -> None:
    factory.movie(1)
    assert "cannot be watched right now" in page(client, "/watch/1")


@pytest.mark.parametrize("path", ["/watch/2", "/watch/0", "/watch/99999999999", "/watch/one", "/nowhere"])
def test_nothing_is_a_page_of_its_own(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert "Nothing is showing here" in answer.content.decode()


def test_nothing_under_the_api_is_a_problem(client: Client) -> None:
    answer = client.get("/api/nowhere")
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_viewers_never_read_what_editors_write(client: Client) -> None:
    movie_id = published(1)
    add_better(movie_id)
    switching.rollback(
        movie_id, actor=factory.EDITOR, comment="Complaint of Mr Smith", at=factory.NOW + timedelta(hours=1)
    )
    html = page(client, "/watch/1")
    assert "Rolled back to 720p" in html
    assert "Smith" not in html
    assert factory.EDITOR.name not in html


def test_turns_that_a_viewer_could_not_see_are_not_told(client: Client) -> None:
    movie_id = published(1)
    switching.edit(movie_id, actor=factory.EDITOR, comment="", at=factory.NOW, pinned=True)
    assert "Measured again" not in page(client, "/watch/1")


def test_the_player_may_talk_to_the_streams_of_enabled_providers_alone(client: Client) -> None:
    movie_id = published(1)
    factory.provider("archive", allowed_hosts=["*.archive.example", "archive.example:8443"])
    off = factory.provider("off", enabled=False, allowed_hosts=["off.example"])
    movie = factory.movie(2)
    factory.version(movie, "a", provider=off, url="https://off.example/a.m3u8")
    allowed = policy(client, f"/watch/{movie_id}")
    media = ["https://cdn.example", "*.archive.example", "archive.example:8443"]
    assert set(allowed["media-src"]) == {"'self'", "blob:", *media}
    assert set(allowed["connect-src"]) == {"'self'", *media}
    assert "https://images.example" in allowed["img-src"]
    assert allowed["script-src"] == ["'self'"]
    assert "frame-src" not in allowed


@pytest.mark.parametrize(
    "host", ["evil.example; script-src *", "'unsafe-inline'", "*", "evil.example other", ""]
)
def test_a_host_cannot_rewrite_the_policy(client: Client, host: str) -> None:
    factory.provider("archive", allowed_hosts=[host])
    allowed = policy(client, f"/watch/{published(1)}")
    assert set(allowed["media-src"]) == {"'self'", "blob:", "https://cdn.example"}
    assert allowed["script-src"] == ["'self'"]


def test_embeds_are_framed_from_their_own_origin_alone(client: Client) -> None:
    movie = factory.movie(1)
    factory.version(movie, "e", url="https://user:pass@embed.example/1", delivery="embed")
    allowed = policy(client, "/watch/1")
    assert allowed["frame-src"] == ["https://embed.example"]
    assert "https://embed.example" not in allowed["connect-src"]


def test_an_embed_where_its_provider_may_have_none_is_not_framed(client: Client) -> None:
    config = {"base_url": "https://films.embed.example/v2", "quality": "1080p"}
    own = factory.provider("own", allowed_hosts=["*.Player.example"], config=config)
    movie = factory.movie(1)
    for host in ("films.embed.example", "a.player.example", "player.example", "evil.example"):
        factory.version(movie, host, provider=own, url=f"https://{host}/1", delivery="embed")
    framed = policy(client, "/watch/1")["frame-src"]
    assert framed == ["https://a.player.example", "https://films.embed.example"]


def test_pages_only_read(client: Client) -> None:
    assert client.post("/").status_code == 405
    assert client.head("/").status_code == 200
