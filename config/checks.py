"""What `manage.py check --deploy` says of a configuration, and what `manage.py setup` refuses to begin with.

Each finding has a number that stays; docs/checks.md lists them. Servers are asked within the time-outs of the
settings, and not by web, worker and beat, which refuse only what is marked START: a server may come later.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connections

from core import databases, jwt_keys
from ingestion import registry
from providers import secrets
from providers.guard import trusted_origin

TAG = "marquee"
START = "marquee-start"
MAKE_A_KEY = "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"


@register(TAG, START, Tags.security, deploy=True)
def several_hosts(app_configs: Any, **options: Any) -> list[CheckMessage]:
    """What each machine would keep for itself, although all must share it."""
    hosts = settings.ENV["HOSTS"]
    if hosts == 1:
        return []
    found: list[CheckMessage] = []
    if not settings.ENV["DATABASE_URL"]:
        text = f"HOSTS is {hosts}, and the database is SQLite: each machine would have a database of its own."
        found.append(Error(text, "Set DATABASE_URL to a PostgreSQL.", id="marquee.E001"))
    if not settings.ENV["REDIS_URL"]:
        text = f"HOSTS is {hosts}, and Valkey is embedded: each machine would have a queue of its own."
        found.append(Error(text, "Set REDIS_URL to a Redis or Valkey.", id="marquee.E002"))
    if not settings.ENV["SECRET_KEY"]:
        text = f"HOSTS is {hosts}, and each machine would make a SECRET_KEY: what one signs, others refuse."
        found.append(Error(text, "Set SECRET_KEY, to the same on all.", id="marquee.E003"))
    if not settings.ENV["PROVIDER_SECRET_KEYS"]:
        text = f"HOSTS is {hosts}, and each machine would make a key for providers' secrets of its own."
        found.append(Error(text, "Set PROVIDER_SECRET_KEYS, to the same on all.", id="marquee.E007"))
    if not settings.ENV["JWT_SIGNING_KEYS"]:
        text = f"HOSTS is {hosts}, and each machine would sign tokens with a key of its own."
        found.append(Error(text, "Set JWT_SIGNING_KEYS, to the same on all.", id="marquee.E010"))
    return found


@register(TAG, START, Tags.security)
def provider_secret_keys(app_configs: Any, **options: Any) -> list[CheckMessage]:
    """Each is a Fernet key. Which one is not is told by its place, never by itself."""
    faulty = ", ".join(f"number {number}" for number in secrets.faulty_keys(settings.PROVIDER_SECRET_KEYS))
    if not faulty:
        return []
    text = f"Of PROVIDER_SECRET_KEYS, {faulty} is no Fernet key (32 bytes in URL-safe base64)."
    hint = f"`python -c '{MAKE_A_KEY}'` makes one."
    return [Error(text, hint, id="marquee.E006")]


@register(TAG, START, Tags.security)
def jwt_signing_keys(app_configs: Any, **options: Any) -> list[CheckMessage]:
    """Each is long enough, and half of no pair. Which one is not is told by its place, never by itself."""
    faulty = ", ".join(f"number {number}" for number in jwt_keys.faulty_keys(settings.JWT_SIGNING_KEYS))
    if not faulty:
        return []
    text = f"Of JWT_SIGNING_KEYS, {faulty} is no key: {jwt_keys.SHORTEST_BYTES} random bytes or more."
    hint = "`python -c 'import secrets; print(secrets.token_hex(32))'` makes one."
    return [Error(text, hint, id="marquee.E011")]


@register(TAG, Tags.security, deploy=True)
def databases_can_be_used(app_configs: Any, **options: Any) -> list[CheckMessage]:
    """Each answers, lets us in, and is new enough; MongoDB is a replica set."""
    return [message for alias in connections for message in of_database(alias)]


def of_database(alias: str) -> Iterable[CheckMessage]:
    """What is wrong with one of them."""
    try:
        reached = databases.reach(alias)
        if connections[alias].vendor == "mongodb":
            with databases.explained(alias):
                hello = reached.admin.command("hello")
            if not (hello.get("setName") or hello.get("msg") == "isdbgrid"):
                text = f"{databases.name(alias)} is no replica set: what it has confirmed, it may lose."
                hint = "Start mongod with --replSet, even a single one, and run rs.initiate()."
                yield Error(text, hint, id="marquee.E004")
    except databases.Unusable as error:
        yield Error(str(error), id="marquee.E005")


@register(TAG, START)
def site_origin(app_configs: Any, **options: Any) -> list[CheckMessage]:
    """Embeds that list who may frame them are judged by it: one that is none would fail them all."""
    if not settings.SITE_ORIGIN:
        return []
    try:
        trusted_origin(settings.SITE_ORIGIN)
    except ValueError:
        text = f"SITE_ORIGIN is scheme://host[:port]; {settings.SITE_ORIGIN[:60]!r} is not."
        return [
            Error(text, "Write it as a browser shows it, such as https://tv.example.org.", id="marquee.E008")
        ]
    return []


@register(TAG)
def job_modules(app_configs: Any, **options: Any) -> list[CheckMessage]:
    """Each was imported: a process that lacks some jobs would lose their runs."""
    hint = "Put it on PYTHONPATH or beside manage.py, for web, worker and beat alike."
    return [
        Error(f"JOB_MODULES names {module}, which cannot be imported: {why}", hint, id="marquee.E009")
        for module, why in registry.faults.items()
    ]


@register(TAG, Tags.security, deploy=True)
def trusted_origins(app_configs: Any, **options: Any) -> list[CheckMessage]:
    """Architecture, "Providers": the one way past the guard of outbound requests is never open unnoticed."""
    if not settings.HTTP_TRUSTED_ORIGINS:
        return []
    text = (
        f"Requests may go to {', '.join(settings.HTTP_TRUSTED_ORIGINS)} although it may be a private address."
    )
    hint = "Keep HTTP_TRUSTED_ORIGINS empty unless these are yours."
    return [Warning(text, hint, id="marquee.W001")]
