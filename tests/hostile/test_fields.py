"""Which members each role is shown, of every path that is read, by hand: a new one without a word fails.

Anyone and users are shown the same; so are viewer, editor and operator. `+` says what only these see.
"""

from __future__ import annotations

from typing import Any

import pytest

from ingestion.models import IngestLog, IngestRun
from tests import clients
from tests.clients import ROLES
from tests.hostile.table import TABLE
from tests.streaming.factory import NOW

pytestmark = pytest.mark.django_db

STAFF = ("viewer", "editor", "operator")
MOVIE = """id imdb_id title original_title original_language year release_date runtime_min genres tagline
    overview poster backdrop popularity vote_average vote_count quality seq switched_at"""
MOVIE_FOR_STAFF = """target_quality pinned hidden locked_fields removed_at discovered_at metadata_at
    tmdb_gone_at matched_at refresh_at next_check_at fruitless_searches"""
VERSION = """id provider active state delivery quality claimed_quality verified_quality width height edition
    languages score eligible reasons"""
VERSION_FOR_STAFF = """url claim evidence strikes last_outcome probed_at next_check_at first_seen last_seen
    expired_at retired_at replaced_by suppressed_at suppressed_until suppressed_why on_trial switch_seq"""
RUN = """id job movie status trigger requested_by correlation_id queued_at started_at finished_at attempts
    progress summary error traceback"""
SETTING = """key kind value default source environment allowed help change changed_at changed_by comment"""
PROVIDER = """slug label adapter enabled priority trust_claims allowed_hosts licence_note owed settings
    secrets pace health"""

# Path, query and what lies below a member; what anyone and users see, and after + what staff does as well.
TOLD = {
    "healthz": "status",
    "readyz": "status checks",
    "api/auth/me": "+ id username roles",
    "api/movies": "next results",
    "api/movies results": MOVIE,
    "api/movies?standing=hidden results": f"+ {MOVIE} {MOVIE_FOR_STAFF}",
    "api/movies/{movie}": f"{MOVIE} + {MOVIE_FOR_STAFF}",
    "api/movies/{movie}?include=versions versions": f"{VERSION} + {VERSION_FOR_STAFF}",
    "api/movies/{movie}/active-stream": """movie seq switched_at version url delivery quality verified width
        height codecs edition languages subtitles rights embed""",
    "api/movies/{movie}/active-stream rights": """licence licence_url attribution territories valid_from
        valid_until""",
    "api/movies/{movie}/stream-versions": f"{VERSION} + {VERSION_FOR_STAFF}",
    "api/movies/{movie}/switches": """+ id movie seq reason at apply from to from_valid_until same_edition
        actor comment undoes decision""",
    "api/movies/{movie}/decision": "+ movie seq action chosen verdicts",
    "api/ingest/status": "+ at jobs providers workers beat_alive queue queue_depth",
    "api/ingest/logs": "+ id at run job movie status message duration_ms error metadata",
    "api/ingest/runs": f"+ {RUN}",
    "api/ingest/runs/{run}": f"+ {RUN}",
    "api/providers": f"+ {PROVIDER}",
    "api/providers/{provider}": f"+ {PROVIDER} last_day",
    "api/providers/private secrets": "+ token",
    "api/stats": "+ at now total days missing",
    "api/stats days": "+ day as_of movies versions providers databases jobs switches calls",
    "api/settings": f"+ {SETTING}",
    "api/settings/{key}": f"+ {SETTING}",
    "api/settings/{key}/history": "+ change before after at by comment reverts_to",
}
ELSEWHERE = {"api/schema", "api/docs", "metrics"}
"""The same for whoever is answered at all, and no JSON of ours."""


def members(body: Any, below: str) -> set[str]:
    """Of an object, or of all objects of a list; of what lies `below` a member, if one is named."""
    body = body[below] if below else body
    return {name for each in (body if isinstance(body, list) else [body]) for name in each}


def words(path: str, role: str) -> set[str]:
    public, _, staff = TOLD[path].partition("+")
    return {*public.split(), *(staff.split() if role in STAFF else ())}


def test_every_path_that_is_read_has_its_row() -> None:
    read = {path for method, path in TABLE if method == "GET"}
    rows = {each.partition(" ")[0].partition("?")[0] for each in TOLD} - {"api/providers/private"}
    assert read == rows | ELSEWHERE


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("path", TOLD)
def test_each_role_is_shown_what_the_table_says(stage: dict[str, Any], path: str, role: str) -> None:
    IngestLog.objects.create(at=NOW, job="content.match", status="OK", message="x")
    url, _, below = path.partition(" ")
    response = clients.client(role).get(f"/{url}".format(**stage))
    expected = words(path, role)
    if path == "api/auth/me" and role == "user":
        expected = words(path, "viewer")
    if expected:
        assert response.status_code == 200, response.content
        assert members(response.json(), below) == expected
    else:
        assert response.status_code in (401, 403)


@pytest.mark.parametrize(
    ("role", "more"), [("user", ""), ("viewer", RUN), ("editor", RUN), ("operator", RUN)]
)
def test_who_asks_for_a_search_is_told_of_the_run_what_is_theirs(
    stage: dict[str, Any], role: str, more: str
) -> None:
    told = clients.client(role).post(f"/api/movies/{stage['movie']}/recheck").json()
    assert set(told) == {"id", "job", "movie", "status", "queued_at", "again", *more.split()}
    assert IngestRun.objects.filter(pk=told["id"]).exists()


def test_a_secret_is_a_yes_or_no(stage: dict[str, Any]) -> None:
    told = clients.client("operator").get("/api/providers/private").json()
    assert set(told["secrets"]["token"]) == {"set", "set_at"}
