"""The keys that tokens are signed with: JWT_SIGNING_KEYS, of which the first signs and all verify.

A token names its key (`kid`, RFC 7515 section 4.1.4) and its algorithm. The name is looked up among ours, the
algorithm is always the same one: nothing in a token is followed, tried out or believed before it is verified.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from hashlib import sha256
from typing import Any

import jwt
from django.conf import settings
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenBackendError

ALGORITHM = "HS256"
SHORTEST_BYTES = 32
"""RFC 7518, section 3.2: a key is at least as long as what the hash gives."""
ISSUER = "marquee"


class KeyRing(TokenBackend):
    """Signs with the first of `keys`; verifies with the one that a token names."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        super().__init__(ALGORITHM, signing_key=keys[0], issuer=ISSUER)
        self._by_id = {id_of(key): key for key in keys}

    def encode(self, payload: dict[str, Any]) -> str:
        key = str(self.signing_key)
        return jwt.encode({**payload, "iss": ISSUER}, key, ALGORITHM, headers={"kid": id_of(key)})

    def get_verifying_key(self, token: Any) -> str:
        key = self._by_id.get(jwt.get_unverified_header(token).get("kid", ""))
        if key is None:
            raise TokenBackendError("Token is invalid")
        return key


def ring() -> KeyRing:
    """The keys in force."""
    return _ring(tuple(settings.JWT_SIGNING_KEYS))


def id_of(key: str) -> str:
    """What tokens call it. It tells nothing of the key."""
    return sha256(b"marquee.jwt:" + key.encode()).hexdigest()[:16]


def faulty_keys(keys: Iterable[str]) -> list[int]:
    """Which of the keys are none, counted from 1: too short, or one of a pair."""
    return [number for number, key in enumerate(keys, 1) if not _is_key(key)]


@lru_cache(maxsize=8)
def _ring(keys: tuple[str, ...]) -> KeyRing:
    return KeyRing(keys)


def _is_key(key: str) -> bool:
    try:
        prepared: bytes = jwt.get_algorithm_by_name(ALGORITHM).prepare_key(key)
    except jwt.InvalidKeyError:
        return False
    return len(prepared) >= SHORTEST_BYTES
