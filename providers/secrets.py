"""What providers want kept secret, encrypted at rest: one token per setting, bound to its provider and name.

No value leaves this module but to the adapter that needs it: not in an error, not in a log line. Tokens are
Fernet's (https://github.com/fernet/spec), made with the first of PROVIDER_SECRET_KEYS and read with any.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from providers import registry
from providers.errors import ProviderMisconfigured
from providers.models import Provider

VARIABLE: Final = "PROVIDER_SECRET_KEYS"
TRIES: Final = 50


def seal(provider: str, name: str, value: str) -> str:
    """The token to keep in place of a secret. Raises ProviderMisconfigured when our own keys are none."""
    return _seal(_keys(provider)[:1], provider, name, value)


def reveal(provider: Provider) -> dict[str, str]:
    """All secrets of a provider, by name. Raises ProviderMisconfigured for one that cannot be read."""
    return {name: _open(provider, name, token) for name, token in provider.secrets.items()}


def masks(provider: Provider) -> set[str]:
    """The secrets that must not show in what is said of a provider: those that can be read. Never raises."""
    known = set()
    for name, token in provider.secrets.items():
        try:
            known.add(_open(provider, name, token))
        except ProviderMisconfigured:  # then it is not in use either
            continue
    return known


def all_masks() -> set[str]:
    """Every secret of this installation: for texts that may quote anything, a traceback above all."""
    keys = {*settings.PROVIDER_SECRET_KEYS, *settings.JWT_SIGNING_KEYS}
    ours = {settings.SECRET_KEY, settings.TMDB_API_KEY, *keys}
    ours |= {str(database.get("PASSWORD") or "") for database in settings.DATABASES.values()}
    return ours.union(*map(masks, Provider.objects.all()))


def set_at(token: object) -> datetime | None:
    """When a secret was entered, for display: nobody vouches for it. None where the token is none."""
    try:
        return datetime.fromtimestamp(int.from_bytes(base64.urlsafe_b64decode(str(token))[1:9]), UTC)
    except (binascii.Error, ValueError, OverflowError, OSError):
        return None


def held(provider: Provider) -> list[str]:
    """The names of all the secrets that it has, readable or not."""
    return sorted({*provider.secrets, *in_the_clear(provider)})


def in_the_clear(provider: Provider) -> list[str]:
    """Secrets that lie among the plain settings: an adapter has declared them secret since."""
    adapter = registry.ADAPTERS.get(provider.adapter)
    declared = {field.name for field in adapter.config_fields if field.secret} if adapter else set()
    return sorted(declared & set(provider.config))


def outdated(provider: Provider) -> list[str]:
    """The secrets that the first key does not open by itself, and those that lie in the clear.

    Raises ProviderMisconfigured for one that no key opens.
    """
    newest = _keys(provider.slug)[:1]
    old = []
    for name, token in provider.secrets.items():
        _open(provider, name, token)
        try:
            _ring(newest).decrypt(token)
        except InvalidToken:
            old.append(name)
    return sorted({*old, *in_the_clear(provider)})


def renew(provider: Provider) -> list[str]:
    """Encrypt with the first key what is not; the names of what was. When each was entered stays known.

    Compare-and-swap on the row as it was read: of two who renew it, or one who enters a new secret meanwhile,
    nobody's write is lost. Raises ProviderMisconfigured for a secret that no key opens.
    """
    for _ in range(TRIES):
        names = outdated(provider)
        if not names:
            return []
        seen = {"config": provider.config, "secrets": provider.secrets}
        if Provider.objects.filter(pk=provider.pk, **seen).update(**settled(provider)):
            return names
        provider.refresh_from_db()
    raise ProviderMisconfigured(f"changed {TRIES} times meanwhile: run this again", provider=provider.slug)


def settled(provider: Provider) -> dict[str, dict[str, object]]:
    """`config` and `secrets` as they should be: nothing secret in the first, all of the newest key."""
    ring, newest = _ring(_keys(provider.slug)), _keys(provider.slug)[:1]
    plain = in_the_clear(provider)
    moved = {name: _seal(newest, provider.slug, name, str(provider.config[name])) for name in plain}
    kept = {name: ring.rotate(token).decode() for name, token in provider.secrets.items()}
    return {
        "config": {name: value for name, value in provider.config.items() if name not in plain},
        "secrets": {**moved, **kept},
    }


def faulty_keys(keys: Iterable[str]) -> list[int]:
    """Which of the keys are none, counted from 1."""
    return [number for number, key in enumerate(keys, 1) if not _is_key(key)]


def _open(provider: Provider, name: str, token: object) -> str:
    try:
        bound = json.loads(_ring(_keys(provider.slug)).decrypt(str(token)))
    except (InvalidToken, ValueError):
        bound = None
    if not isinstance(bound, list) or bound[:2] != [provider.slug, name]:
        raise ProviderMisconfigured(
            f"{name} cannot be read with {VARIABLE}: enter it again, or bring the old key back",
            provider=provider.slug,
        )
    return str(bound[2])


def _seal(keys: tuple[str, ...], provider: str, name: str, value: str) -> str:
    """The name is sealed in as well: a token that is copied to another row, or field, opens nothing there."""
    return _ring(keys).encrypt(json.dumps([provider, name, value]).encode()).decode()


def _keys(provider: str) -> tuple[str, ...]:
    keys = tuple(settings.PROVIDER_SECRET_KEYS)
    if not keys or faulty_keys(keys):
        raise ProviderMisconfigured(
            f"{VARIABLE} is not a list of Fernet keys: `manage.py check` says which is none",
            provider=provider,
        )
    return keys


@lru_cache(maxsize=8)
def _ring(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def _is_key(key: str) -> bool:
    try:
        Fernet(key)
    except (ValueError, TypeError):
        return False
    return True
