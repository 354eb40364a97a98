"""What each path takes, by hand: its query's names and body's members, each with its kind and a good value.

A path or method that is not here fails the build (`test_table.py`), so none is added without being attacked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What a member is. What is no such thing is in `WRONG`."""

    TEXT = "text"
    NUMBER = "number"
    FLAG = "flag"
    KEY = "key"
    CHOICE = "choice"
    MOMENT = "moment"
    FILM = "film"
    NUMBER_OR_NONE = "number, or null"
    CHOICE_OR_NONE = "choice, or null"
    DAY_OR_NONE = "day, or null"
    LIST = "list"


OPERATORS: list[Any] = [{"$gt": ""}, {"$ne": None}, {"$where": "sleep(9)"}, {"$regex": ".*"}, [{"$gt": ""}]]
NOT_EVEN_NONE: list[Any] = [[], {}, ["a", "b"], {"a": {"b": []}}, *OPERATORS]
NOT_EVEN_CLOSE: list[Any] = [None, *NOT_EVEN_NONE]
NO_NUMBERS: list[Any] = [True, "", "x", -1, 1.5, 10**30, -(10**30), "1e3", "0x10", "NaN"]
NO_CHOICES: list[Any] = [True, "", "x", 1, "' OR '1'='1"]
WRONG: dict[Kind, list[Any]] = {
    Kind.TEXT: [*NOT_EVEN_CLOSE, True],
    Kind.NUMBER: [*NOT_EVEN_CLOSE, *NO_NUMBERS],
    Kind.FLAG: [*NOT_EVEN_CLOSE, "", "x", 2, -1, "$true"],
    Kind.KEY: [*NOT_EVEN_CLOSE, "", "x", "../../etc/passwd", "' OR 1=1 --", -1, 2**200, "0" * 33],
    Kind.CHOICE: [*NOT_EVEN_CLOSE, *NO_CHOICES],
    Kind.MOMENT: [*NOT_EVEN_CLOSE, True, "", "x", 1, "2026-02-30T00:00:00Z", "99999-01-01T00:00:00Z"],
    Kind.FILM: [None, [], ["a"], True, "x", 1, *OPERATORS],
    Kind.NUMBER_OR_NONE: [*NOT_EVEN_NONE, *NO_NUMBERS],
    Kind.CHOICE_OR_NONE: [*NOT_EVEN_NONE, *NO_CHOICES],
    Kind.DAY_OR_NONE: [*NOT_EVEN_NONE, True, "", "x", 1, "2026-02-30", "99999-01-01", "2026-01-01' --"],
    Kind.LIST: [None, {}, True, "x", 1, [[]], [{}], [None], *OPERATORS],
}
"""In a body. In a query everything is text, of which `WRITTEN` is wrong; the empty one is none at all."""
WRITTEN: dict[Kind, list[str]] = {
    Kind.TEXT: [],
    Kind.NUMBER: ["x", "-1", "1.5", "9" * 30, "-" + "9" * 30, "0x10", "NaN", "1;DROP TABLE x", "[$gt]"],
    Kind.FLAG: ["x", "2", "-1", "[]"],
    Kind.KEY: ["x", "../../etc/passwd", "' OR 1=1 --", "0" * 33],
    Kind.CHOICE: ["x", "' OR '1'='1", '{"$gt": ""}', "published,hidden"],
    Kind.MOMENT: ["x", "2026-02-30T00:00:00Z", "99999-01-01T00:00:00Z", "1 OR 1=1"],
}
INJECTIONS = [
    "' OR '1'='1",
    "x'); DROP TABLE streaming_movie; --",
    '{"$gt": ""}',
    "$where",
    "%",
    "_",
    ".*",
    "\\",
    "<script>alert(1)</script>",
    "${jndi:ldap://127.0.0.1/a}",
    "{{7*7}}",
    "%(password)s",
    "\u202e\u2066\ufeff",
    "\U0001f3ac" * 20,
]
"""Text like any other, wherever text is taken."""

Members = dict[str, tuple[Kind, Any]]


@dataclass(frozen=True)
class Takes:
    """`query` and `body` by name. What is `owed` has to be given. `{movie}` and the like stand for what the
    stage holds."""

    query: Members = field(default_factory=dict)
    body: Members = field(default_factory=dict)
    owed: tuple[str, ...] = ()


PAGES: Members = {"limit": (Kind.NUMBER, "5"), "cursor": (Kind.TEXT, "")}
NEWEST: Members = {"job": (Kind.CHOICE, "content.match"), "movie": (Kind.NUMBER, "45745"), **PAGES}
COMMENT: Members = {"comment": (Kind.TEXT, "why")}
CREDENTIALS = Takes(
    body={"username": (Kind.TEXT, "newcomer"), "password": (Kind.TEXT, "correct horse battery staple")},
    owed=("username", "password"),
)
REFRESH = Takes(body={"refresh": (Kind.TEXT, "eyJ")}, owed=("refresh",))

TABLE: dict[tuple[str, str], Takes] = {
    ("GET", "healthz"): Takes(),
    ("GET", "readyz"): Takes(),
    ("GET", "metrics"): Takes(),
    ("GET", "api/schema"): Takes(),
    ("GET", "api/docs"): Takes(),
    ("POST", "api/auth/register"): CREDENTIALS,
    ("POST", "api/auth/login"): CREDENTIALS,
    ("POST", "api/auth/refresh"): REFRESH,
    ("POST", "api/auth/logout"): REFRESH,
    ("GET", "api/auth/me"): Takes(),
    ("GET", "api/movies"): Takes(
        query={
            **PAGES,
            "q": (Kind.TEXT, "film"),
            "genre": (Kind.TEXT, "Comedy"),
            "language": (Kind.CHOICE, "en"),
            **dict.fromkeys(("year", "year_from", "year_to"), (Kind.NUMBER, "1926")),
            **dict.fromkeys(("quality", "min_quality"), (Kind.CHOICE, "1080p")),
            "ordering": (Kind.CHOICE, "-title"),
            "standing": (Kind.CHOICE, "hidden"),
        }
    ),
    ("POST", "api/movies"): Takes(
        body={"tmdb_id": (Kind.NUMBER, "{movie}"), "reason": (Kind.TEXT, "viewers ask for it")},
        owed=("tmdb_id",),
    ),
    ("PATCH", "api/movies/{movie}"): Takes(
        body={
            **dict.fromkeys(("title", "original_title", "overview", "tagline"), (Kind.TEXT, "film")),
            "imdb_id": (Kind.TEXT, "tt1727587"),
            "original_language": (Kind.TEXT, "en"),
            "release_date": (Kind.DAY_OR_NONE, "2010-09-27"),
            "runtime_min": (Kind.NUMBER_OR_NONE, 15),
            "genres": (Kind.LIST, ["Fantasy"]),
            "target_quality": (Kind.CHOICE_OR_NONE, "2160p"),
            "pinned": (Kind.FLAG, True),
            "hidden": (Kind.FLAG, False),
            "locked_fields": (Kind.LIST, ["title"]),
            "if_seq": (Kind.NUMBER, 999),
            "reason": (Kind.TEXT, "as it is known here"),
        }
    ),
    ("DELETE", "api/movies/{movie}"): Takes(
        query={"reason": (Kind.TEXT, "ended"), "if_seq": (Kind.NUMBER, "999")},
        body={"reason": (Kind.TEXT, "ended"), "if_seq": (Kind.NUMBER, 999)},
        owed=("reason",),
    ),
    ("GET", "api/movies/{movie}"): Takes(query={"include": (Kind.CHOICE, "versions")}),
    ("GET", "api/movies/{movie}/active-stream"): Takes(query={"seq": (Kind.NUMBER, "1")}),
    ("GET", "api/movies/{movie}/stream-versions"): Takes(),
    ("GET", "api/movies/{movie}/switches"): Takes(query={**PAGES, "before": (Kind.NUMBER, "9")}),
    ("GET", "api/movies/{movie}/decision"): Takes(),
    ("POST", "api/movies/{movie}/activate-stream"): Takes(
        body={
            "version": (Kind.KEY, "{version}"),
            "reason": (Kind.TEXT, "better sound"),
            "pin": (Kind.FLAG, False),
            "suppress_current": (Kind.FLAG, False),
            "if_seq": (Kind.NUMBER, 999),
        },
        owed=("version", "reason"),
    ),
    ("POST", "api/movies/{movie}/rollback"): Takes(
        body={
            "reason": (Kind.TEXT, "wrong cut"),
            "suppress": (Kind.CHOICE, "until"),
            "until": (Kind.MOMENT, "2999-01-01T00:00:00Z"),
            "pin": (Kind.FLAG, False),
            "if_seq": (Kind.NUMBER, 999),
        },
        owed=("reason",),
    ),
    ("POST", "api/movies/{movie}/recheck"): Takes(),
    ("POST", "api/movies/{movie}/playback-reports"): Takes(
        body={"version": (Kind.KEY, "{version}"), "code": (Kind.TEXT, "player_3016")}, owed=("version",)
    ),
    ("GET", "api/ingest/status"): Takes(),
    ("GET", "api/ingest/logs"): Takes(
        query={
            **NEWEST,
            "status": (Kind.CHOICE, "OK"),
            "run": (Kind.KEY, "{run}"),
            "since": (Kind.MOMENT, "2026-01-01T00:00:00Z"),
            "until": (Kind.MOMENT, "2026-01-02T00:00:00Z"),
            "text": (Kind.TEXT, "x"),
        }
    ),
    ("GET", "api/ingest/runs"): Takes(
        query={**NEWEST, "status": (Kind.CHOICE, "failed"), "correlation_id": (Kind.TEXT, "x")}
    ),
    ("GET", "api/ingest/runs/{run}"): Takes(),
    ("DELETE", "api/ingest/runs/{run}"): Takes(),
    ("POST", "api/ingest/run/{job}"): Takes(body={"movie": (Kind.NUMBER, 45745)}),
    ("POST", "api/ingest/initialize"): Takes(),
    ("GET", "api/providers"): Takes(),
    ("GET", "api/providers/{provider}"): Takes(),
    ("POST", "api/providers/{provider}/test"): Takes(
        body={"movie": (Kind.FILM, {"title": "Sintel", "tmdb_id": 45745})}
    ),
    ("GET", "api/stats"): Takes(query={"days": (Kind.NUMBER, "3")}),
    ("GET", "api/settings"): Takes(),
    ("POST", "api/settings"): Takes(
        query={"dry_run": (Kind.FLAG, "true")},
        body={"key": (Kind.CHOICE, "TARGET_QUALITY"), "value": (Kind.CHOICE, "1080p"), **COMMENT},
        owed=("key", "value"),
    ),
    ("GET", "api/settings/{key}"): Takes(),
    ("DELETE", "api/settings/{key}"): Takes(),
    ("GET", "api/settings/{key}/history"): Takes(),
    ("POST", "api/settings/{key}/revert"): Takes(
        body={"change": (Kind.NUMBER, 1), **COMMENT}, owed=("change",)
    ),
}
IN_PATHS: dict[str, list[str]] = {
    "movie": f"0 -1 00 +1 1.0 1e3 2147483648 {'9' * 40} x %00 1%00 %ff %d9%a1".split(),
    "run": ["x", "0", "-1", "%00", "%ff", "'%20OR%201=1%20--", "00000000-0000-0000-0000-000000000000"],
    "job": f"x %00 %ff __class__ content.match'-- {'a' * 300} %0d%0aX-Evil:1 ..%2f..%2fetc".split(),
    "key": f"x %00 %ff SECRET_KEY target_quality $where {'a' * 300} %0d%0aSet-Cookie:a=b".split(),
    "provider": f"x %00 %ff $where {'a' * 300} -1 a%2fb UNFINISHED".split(),
}
"""What nothing is called in these places of a path."""
