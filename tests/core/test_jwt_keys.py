"""Tokens are what our keys signed, by our algorithm, under its name: whatever else they say is refused."""

from __future__ import annotations

import base64
import hmac
import itertools
import json
from hashlib import sha256
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.contrib.auth.models import User
from rest_framework.test import APIClient
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from core import jwt_keys, tokens
from tests import clients
from tests.clients import assert_problem

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

OLD, NEW, FOREIGN = "old-key-" * 5, "new-key-" * 5, "foreign-" * 5


@pytest.fixture
def ada(settings: Any) -> User:
    settings.JWT_SIGNING_KEYS = [OLD]
    return clients.user("editor", "ada")


def claims_of(text: str) -> dict[str, Any]:
    return dict(jwt.decode(text, options={"verify_signature": False}))


def statuses(access: str, refresh: str) -> list[int]:
    """Of every path that takes a token."""
    client = APIClient()
    bearer = {"authorization": f"Bearer {access}"}
    answers = [client.get("/api/auth/me", headers=bearer), client.get("/api/movies", headers=bearer)]
    answers += [client.post(f"/api/auth/{path}", {"refresh": refresh}) for path in ("refresh", "logout")]
    for answer in answers:
        if answer.status_code >= 400:
            assert_problem(answer, answer.status_code)
    return [answer.status_code for answer in answers]


def raw(header: Any, payload: Any, key: str = OLD) -> str:
    """A token of these parts as they are, with a signature by HMAC-SHA256."""
    parts = [part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, payload)]
    text = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    made = hmac.new(key.encode(), text, sha256).digest()
    return (text + b"." + base64.urlsafe_b64encode(made).rstrip(b"=")).decode()


OURS = {"alg": "HS256", "typ": "JWT", "kid": jwt_keys.id_of(OLD)}


def test_a_token_names_its_key_its_algorithm_and_who_made_it(ada: User) -> None:
    pair = tokens.begin(ada)
    for text in (pair.access, pair.refresh):
        assert jwt.get_unverified_header(text) == OURS
        assert claims_of(text)["iss"] == "marquee"
        assert claims_of(text).keys() >= {"exp", "iat", "jti", "sid"}
    assert statuses(raw(OURS, claims_of(pair.access)), raw(OURS, claims_of(pair.refresh)))[0] == 200


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"},
        {"alg": "None", "kid": OURS["kid"]},
        {"alg": "HS384", "kid": OURS["kid"]},
        {"alg": "HS512", "kid": OURS["kid"]},
        {"alg": "RS256", "kid": OURS["kid"]},
        {"alg": "ES256", "kid": OURS["kid"]},
        {"alg": ["HS256"], "kid": OURS["kid"]},
        {"alg": {"$gt": ""}, "kid": OURS["kid"]},
        {"alg": None, "kid": OURS["kid"]},
        {"kid": OURS["kid"]},
        {"alg": "HS256"},
        {"alg": "HS256", "kid": ""},
        {"alg": "HS256", "kid": None},
        {"alg": "HS256", "kid": 0},
        {"alg": "HS256", "kid": ["a"]},
        {"alg": "HS256", "kid": {"$ne": ""}},
        {"alg": "HS256", "kid": "0123456789abcdef"},
        {"alg": "HS256", "kid": "../../../../dev/null"},
        {"alg": "HS256", "kid": "/proc/self/environ\u0000"},
        {"alg": "HS256", "kid": "' UNION SELECT 'key' --"},
        {"alg": "HS256", "kid": OURS["kid"] + "\r\nX-Admin: 1"},
        {"alg": "HS256", "jku": "https://evil.example/keys"},
        {"alg": "HS256", "jwk": {"kty": "oct", "k": "a2V5"}},
        {"alg": "HS256", "kid": OURS["kid"], "crit": ["exp"]},
        {"alg": "HS256", "kid": OURS["kid"], "crit": ["b64"], "b64": False},
        [],
        "HS256",
        None,
        b"[" * 5000,
        b'{"alg":' * 800,
        b"9" * 5000,
        b"\xff\xfe",
        b"",
    ],
    ids=lambda header: str(header)[:60],
)
def test_whatever_else_a_token_says_of_itself_is_refused(ada: User, header: Any) -> None:
    pair = tokens.begin(ada)
    forged = [raw(header, claims_of(text)) for text in (pair.access, pair.refresh)]
    assert statuses(*forged) == [401] * 4
    unsigned = [text.rpartition(".")[0] + "." for text in forged]
    assert statuses(*unsigned)[:2] == [401] * 2


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_our_key_with_another_hash_is_refused(ada: User, algorithm: str) -> None:
    pair = tokens.begin(ada)
    key = OLD * 2
    header = {"kid": jwt_keys.id_of(OLD)}
    forged = [jwt.encode(claims_of(t), key, algorithm, headers=header) for t in (pair.access, pair.refresh)]
    assert statuses(*forged) == [401] * 4


def test_a_signature_by_a_key_pair_is_refused(ada: User) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    header, pair = {"kid": jwt_keys.id_of(OLD)}, tokens.begin(ada)
    forged = [jwt.encode(claims_of(t), key, "RS256", headers=header) for t in (pair.access, pair.refresh)]
    assert statuses(*forged) == [401] * 4


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "somebody else"},
        {"iss": None},
        {"exp": None},
        {"exp": "never"},
        {"token_type": None},
        {"jti": None},
        {"user_id": None},
        {"user_id": "99999999"},
        {"hash_password": None},
    ],
    ids=str,
)
def test_a_token_that_lacks_what_ours_have_is_refused(ada: User, change: dict[str, Any]) -> None:
    pair = tokens.begin(ada)
    forged = []
    for text in (pair.access, pair.refresh):
        claims = {**claims_of(text), **change}
        forged.append(raw(OURS, {name: value for name, value in claims.items() if value is not None}))
    assert statuses(*forged)[:3] == [401] * 3


def test_a_token_of_another_key_or_library_default_is_refused(ada: User, settings: Any) -> None:
    pair = tokens.begin(ada)
    foreign = [raw(OURS, claims_of(t), FOREIGN) for t in (pair.access, pair.refresh)]
    assert statuses(*foreign) == [401] * 4
    cookies = [raw(OURS, claims_of(t), settings.SECRET_KEY) for t in (pair.access, pair.refresh)]
    assert statuses(*cookies) == [401] * 4
    with pytest.raises(Exception, match="key"):
        str(AccessToken.for_user(ada))
    assert RefreshToken is not tokens.Refresh


def test_a_key_is_rotated_without_ending_a_session(ada: User, settings: Any) -> None:
    first = tokens.begin(ada)
    settings.JWT_SIGNING_KEYS = [NEW, OLD]
    assert statuses(first.access, "none")[0] == 200
    second = tokens.renew(first.refresh)
    signed_with = {jwt.get_unverified_header(text)["kid"] for text in (second.access, second.refresh)}
    assert signed_with == {jwt_keys.id_of(NEW)}
    settings.JWT_SIGNING_KEYS = [NEW]
    assert statuses(second.access, first.refresh) == [200, 200, 401, 401]
    assert statuses(first.access, second.refresh)[:3] == [401, 401, 200]


def test_a_key_is_spread_before_it_signs(ada: User, settings: Any) -> None:
    """Processes that are restarted one after the other understand each other at each step."""
    steps = [[OLD], [OLD, NEW], [NEW, OLD], [NEW]]
    for one, other in itertools.pairwise(steps):
        for signing, reading in ((one, other), (other, one)):
            if signing[0] in reading:
                settings.JWT_SIGNING_KEYS = signing
                pair = tokens.begin(ada)
                settings.JWT_SIGNING_KEYS = reading
                assert tokens.renew(pair.refresh)


def test_what_is_no_key_is_told_by_its_place() -> None:
    pair = f"-----BEGIN PRIVATE KEY-----\n{OLD}\n-----END PRIVATE KEY-----"
    assert jwt_keys.faulty_keys([OLD, "short", "x" * 31, "x" * 32, "é" * 16, pair]) == [2, 3, 6]


def test_the_name_of_a_key_tells_nothing_of_it() -> None:
    assert jwt_keys.id_of(OLD) not in OLD
    assert jwt_keys.id_of(OLD) != sha256(OLD.encode()).hexdigest()[:16]
