"""What would be unsafe about a configuration: web, worker, beat and `setup` refuse to begin with it.

Most of it is asked of deployments only (`config.deployment`), so that `make run` needs nothing. Nothing here
asks a server. docs/checks.md lists the numbers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register, run_checks

from config.checks import START, TAG
from config.deployment import is_local
from core import addresses, jwt_keys
from providers.guard import trusted_origin

SHORTEST = {"SECRET_KEY": 50, "JWT_SIGNING_KEYS": jwt_keys.SHORTEST_BYTES, "METRICS_TOKEN": 16}
FEWEST_CHARACTERS = 5
MAKE_A_KEY = "`python -c 'import secrets; print(secrets.token_hex(32))'` makes one."
MADE_UP = ("django-insecure-", "changeme", "change-me", "secret", "example", "password", "default")


def refuse_to_start() -> None:
    """Ends this process, saying why, if a check finds an error that does not need a server to be seen."""
    found = [m for m in run_checks(tags=[START], include_deployment_checks=True) if m.is_serious()]
    if found:
        lines = [f"{m.msg} {m.hint or ''}".strip() + f" ({m.id})" for m in found]
        raise SystemExit("\n".join(["Marquee does not start like this:", *lines]))


@register(TAG, START, Tags.security)
def debug_pages(app_configs: Any, **options: Any) -> list[CheckMessage]:
    if not (settings.DEPLOYED and settings.DEBUG):
        return []
    text = "DEBUG is on, and others reach this: its pages show settings and source code."
    return [Error(text, "Leave DEBUG out.", id="marquee.E012")]


@register(TAG, START, Tags.security)
def open_hosts(app_configs: Any, **options: Any) -> list[CheckMessage]:
    if "*" not in settings.ENV["ALLOWED_HOSTS"]:
        return []
    text = "ALLOWED_HOSTS has `*`: links and redirects would lead wherever a request says."
    return [Error(text, "Name the hosts that viewers type.", id="marquee.E013")]


@register(TAG, START, Tags.security)
def weak_keys(app_configs: Any, **options: Any) -> list[CheckMessage]:
    """None of those that were given is shown, not even its beginning."""
    if not settings.DEPLOYED:
        return []
    text = "{} is short, made up or from an example: it can be guessed."
    return [
        Error(text.format(name), MAKE_A_KEY, id="marquee.E014")
        for name, shortest in SHORTEST.items()
        if any(_is_weak(key, shortest) for key in _given(name))
    ]


@register(TAG, START, Tags.security)
def shared_keys(app_configs: Any, **options: Any) -> list[CheckMessage]:
    """Each key has one purpose: whoever learns one must not have another."""
    if not settings.DEPLOYED:
        return []
    users: defaultdict[str, set[str]] = defaultdict(set)
    for name in ("SECRET_KEY", "JWT_SIGNING_KEYS", "PROVIDER_SECRET_KEYS", "METRICS_TOKEN"):
        for key in _given(name):
            users[key].add(name)
    return [
        Error(
            f"{' and '.join(sorted(names))} are one key.",
            f"Give each its own. {MAKE_A_KEY}",
            id="marquee.E015",
        )
        for key, names in users.items()
        if len(names) > 1
    ]


@register(TAG, START, Tags.security)
def insecure_cookies(app_configs: Any, **options: Any) -> list[CheckMessage]:
    """The settings make them safe wherever this is deployed: somebody has changed these."""
    if not settings.DEPLOYED:
        return []
    wrong = [name for name, wanted in COOKIES.items() if getattr(settings, name) not in wanted]
    hint = "Take it out of the settings module that changes it."
    return [Error(f"{name} is {getattr(settings, name)!r}.", hint, id="marquee.E016") for name in wrong]


COOKIES: dict[str, list[object]] = {
    "SESSION_COOKIE_SECURE": [True],
    "SESSION_COOKIE_HTTPONLY": [True],
    "SESSION_COOKIE_SAMESITE": ["Lax", "Strict"],
    "CSRF_COOKIE_SECURE": [True],
    "CSRF_COOKIE_HTTPONLY": [True],
    "CSRF_COOKIE_SAMESITE": ["Lax", "Strict"],
}


@register(TAG, START, Tags.security)
def origins_that_are_none(app_configs: Any, **options: Any) -> list[CheckMessage]:
    """Browsers' own words are compared: what is not one of them would silently open nothing, or look open."""
    hint = "Write it as a browser sends it, such as https://app.example.org. Patterns and `*` are not known."
    return [
        Error(f"CORS_ALLOWED_ORIGINS has {origin[:60]!r}, which is no origin.", hint, id="marquee.E017")
        for origin in settings.CORS_ALLOWED_ORIGINS
        if not _is_origin(origin)
    ]


@register(TAG, START, Tags.security)
def trusted_proxies(app_configs: Any, **options: Any) -> list[CheckMessage]:
    """Whoever is believed can be anybody: it is a few machines of ours, and never everybody."""
    hint = "Name the addresses or networks of your own proxies, such as 10.0.0.0/24."
    return [
        Error(f"TRUSTED_PROXIES: {fault}.", hint, id="marquee.E018")
        for fault in map(_fault_of_proxy, settings.TRUSTED_PROXIES)
        if fault
    ]


@register(TAG, START, Tags.security)
def nobody_ends_tls(app_configs: Any, **options: Any) -> list[CheckMessage]:
    if not settings.DEPLOYED or settings.TRUSTED_PROXIES:
        return []
    if settings.SECURE_SSL_REDIRECT:
        text = "No proxy is trusted to say that a request came by HTTPS: all would be redirected, for ever."
        hint = "Set TRUSTED_PROXIES, or HTTPS_REDIRECT=false if uvicorn itself has the certificate."
        return [Error(text, hint, id="marquee.E019")]
    text = "No proxy is trusted: behind one, all viewers are one address, and share what one may ask."
    return [Warning(text, "Set TRUSTED_PROXIES, unless there is none.", id="marquee.W002")]


@register(TAG, START, Tags.security)
def plain_origins(app_configs: Any, **options: Any) -> list[CheckMessage]:
    """Whoever is on the way can write into a page that comes by HTTP, and so use whatever it may."""
    if not settings.DEPLOYED:
        return []
    hint = "Serve it by HTTPS, and write https://."
    return [
        Error(f"{name} has {origin[:60]!r}: its pages come by HTTP.", hint, id="marquee.E020")
        for name, origin in _origins()
        if origin.startswith("http://") and not is_local(urlsplit(origin).hostname or "")
    ]


def _given(name: str) -> list[str]:
    """The keys of a variable that has one or several."""
    value = settings.ENV[name]
    return [key for key in (value if isinstance(value, list) else [value]) if key]


def _origins() -> Iterator[tuple[str, str]]:
    yield "SITE_ORIGIN", settings.SITE_ORIGIN
    yield from (("CORS_ALLOWED_ORIGINS", origin) for origin in settings.CORS_ALLOWED_ORIGINS)
    yield from (("CSRF_TRUSTED_ORIGINS", origin) for origin in settings.CSRF_TRUSTED_ORIGINS)


def _is_weak(key: str, shortest: int) -> bool:
    made_up = any(word in key.lower() for word in MADE_UP)
    return len(key) < shortest or len(set(key)) < FEWEST_CHARACTERS or made_up


def _is_origin(text: str) -> bool:
    """Whether a browser writes an origin so: in lower case and ASCII, without a slash or the usual port."""
    try:
        scheme, host, port = trusted_origin(text)
    except ValueError:
        return False
    usual = {"http": 80, "https": 443}[scheme] == port
    written = f"{scheme}://{f'[{host}]' if ':' in host else host}{'' if usual else f':{port}'}"
    return text == written and "*" not in text


def _fault_of_proxy(entry: str) -> str:
    try:
        [network] = addresses.networks([entry])
    except ValueError as error:
        return str(error)
    return "" if network.prefixlen else f"{entry} is everybody"
