"""Every environment variable that Marquee reads: name, type, default, one line of help.

Read once, at start. `.env.example` is this file in another form (`python -m config.env` prints it).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

from core import options

_ALLOWED = {str: "text", bool: options.BOOLEAN.allowed, int: "a whole number", list: "a list with commas"}
_LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
BASE_DIR = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable. `type` is a caster of django-environ: str, bool, int or list. `words`: no others.

    `least` is the smallest number that makes sense.
    """

    name: str
    type: type
    default: Any
    help: str
    words: tuple[str, ...] = ()
    least: int | None = None


VARIABLES = (
    Variable("PORT", int, 8000, "Port of the web server that `make run` starts."),
    Variable("DATA_DIR", str, "var", "Folder of the database, the embedded Valkey, keys and logs."),
    Variable("DEBUG", bool, False, "Django's debug pages. Never in production."),
    Variable("SECRET_KEY", str, "", "Django's signing key. Empty: one is made and kept in DATA_DIR."),
    Variable(
        "JWT_SIGNING_KEYS",
        list,
        [],
        "Keys of the API's tokens, 32 bytes or more: the first signs, all verify. Empty: kept in DATA_DIR.",
    ),
    Variable(
        "PROVIDER_SECRET_KEYS",
        list,
        [],
        "Fernet keys for providers' secrets: the first encrypts, all decrypt. Empty: kept in DATA_DIR.",
    ),
    Variable(
        "ALLOWED_HOSTS",
        list,
        ["localhost", "127.0.0.1", "[::1]"],
        "Host names that the web server answers to.",
    ),
    Variable(
        "HTTPS_REDIRECT",
        bool,
        True,
        "Send who comes by HTTP on to HTTPS, where others than this machine come.",
    ),
    Variable(
        "HSTS_SECONDS",
        int,
        31_536_000,
        "For how long browsers, told so over HTTPS, insist on it. 0: they are not told.",
        least=0,
    ),
    Variable(
        "CSRF_TRUSTED_ORIGINS", list, [], "Origins (scheme://host) that may post forms, behind a proxy."
    ),
    Variable(
        "CORS_ALLOWED_ORIGINS",
        list,
        [],
        "Origins (https://app.example.org) of other sites whose pages may use the API.",
    ),
    Variable(
        "TRUSTED_PROXIES",
        list,
        [],
        "Addresses or networks (10.0.0.0/8) whose X-Forwarded-For and X-Forwarded-Proto are believed.",
    ),
    Variable(
        "DATABASE_URL",
        str,
        "",
        "PostgreSQL: postgresql://user:password@host/name. Empty: SQLite in DATA_DIR.",
    ),
    Variable(
        "MONGODB_URI",
        str,
        "",
        "MongoDB, a replica set, mongodb://host/name, for the catalogue. Empty: the database above.",
    ),
    # A worker holds one for each of its eight jobs, and wants one more at times to keep their slots.
    Variable(
        "DATABASE_POOL_SIZE", int, 20, "Connections to PostgreSQL that one process holds at most.", least=10
    ),
    Variable("MONGODB_POOL_SIZE", int, 20, "Connections to MongoDB that one process holds at most.", least=1),
    Variable(
        "DATABASE_CONNECT_TIMEOUT_S",
        int,
        3,
        "Seconds to wait for a database server, or a free connection.",
        least=1,
    ),
    Variable(
        "DATABASE_TIMEOUT_S", int, 10, "Seconds that one statement, or a wait for a lock, may take.", least=1
    ),
    Variable(
        "HOSTS", int, 1, "Machines that Marquee runs on. Several need DATABASE_URL and REDIS_URL.", least=1
    ),
    Variable("REDIS_URL", str, "", "Redis or Valkey. Empty: the embedded Valkey, a socket in DATA_DIR."),
    Variable(
        "TMDB_API_KEY", str, "", "TMDB v3 API key or v4 read token. Empty: `make run` brings its own demo."
    ),
    Variable("TMDB_BASE_URL", str, "https://api.themoviedb.org/3", "Where TMDB's API is."),
    Variable("TMDB_IMAGE_BASE_URL", str, "https://image.tmdb.org/t/p/", "Where posters and backdrops are."),
    Variable(
        "LIBRARY_URL", str, "", "Base URL of a stream library of yours; it becomes the provider `library`."
    ),
    Variable("LIBRARY_DIR", str, "", "A folder with such a library on this machine; `make run` serves it."),
    Variable(
        "HTTP_TRUSTED_ORIGINS",
        list,
        [],
        "Exact origins (http://10.0.0.5:9000) that may be private addresses.",
    ),
    Variable(
        "SITE_ORIGIN", str, "", "Where viewers watch, such as https://tv.example.org: who is to frame embeds."
    ),
    Variable("JOB_MODULES", list, [], "Python modules with jobs of your own, such as house.jobs."),
    Variable(
        "METRICS_TOKEN",
        str,
        "",
        "What Prometheus sends as its bearer token to read /metrics. Empty: this machine alone may read it.",
    ),
    Variable("LOG_LEVEL", str, "INFO", "DEBUG, INFO, WARNING or ERROR.", _LOG_LEVELS),
)


def read(env_file: Path | None = None) -> dict[str, Any]:
    """The value of every variable. What the process has wins over the `.env` file.

    Raises ImproperlyConfigured, naming the variable and what is allowed.
    """
    env = environ.Env()
    env.read_env(str(env_file or BASE_DIR / ".env"))
    return {variable.name: _stripped(_value(env, variable)) for variable in VARIABLES}


def _value(env: environ.Env, variable: Variable) -> Any:
    """Set but empty counts as not set, as in `PORT= make run`."""
    given = env.ENVIRON.get(variable.name, "").strip()
    if not given:
        return variable.default
    try:
        return _parse(env, variable, given)
    except ValueError:
        problem = f"{variable.name} is {_allowed(variable)}; {given[:60]!r} is not."
    raise ImproperlyConfigured(problem)


def _allowed(variable: Variable) -> str:
    if variable.words:
        return f"one of {', '.join(variable.words)}"
    least = "" if variable.least is None else f" from {variable.least} up"
    return _ALLOWED[variable.type] + least


def _parse(env: environ.Env, variable: Variable, given: str) -> Any:
    if variable.words:
        return variable.words[variable.words.index(given.upper())]
    value = options.BOOLEAN.parse(given) if variable.type is bool else env.parse_value(given, variable.type)
    if variable.least is not None and value < variable.least:
        raise ValueError
    return value


def read_options() -> dict[str, Any]:
    """The runtime settings that the environment sets. Raises OptionError for a value out of bounds."""
    source = environ.Env.ENVIRON
    return {name: options.parse(name, source[name]) for name in options.NAMES if source.get(name, "") != ""}


def example() -> str:
    """The text of `.env.example`."""
    lines = ["# Every variable, with its default. Copy to .env and change what you need.", ""]
    for v in VARIABLES:
        lines += [f"# {v.help}", f"#{v.name}={_shown(v.default)}", ""]
    lines += [
        "# Runtime settings: these are start values; the admin and POST /api/settings change them live.",
        "",
    ]
    for name, attribute in options.NAMES.items():
        default = getattr(options.DEFAULTS, attribute)
        lines += [
            f"# {options.help_of(name)} ({options.kind_of(name).allowed})",
            f"#{name}={_shown(default)}",
            "",
        ]
    return "\n".join(lines).rstrip() + "\n"


def _stripped(value: Any) -> Any:
    """A list is written with spaces after its commas as often as without."""
    return [item.strip() for item in value if item.strip()] if isinstance(value, list) else value


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ",".join(value)
    return f'"{value}"' if " " in str(value) else str(value)


if __name__ == "__main__":
    print(example(), end="")  # noqa: T201
