"""What a provider wants kept secret: encrypted at rest, bound to its place, read with any of the keys."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from io import StringIO
from typing import Any, ClassVar

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.utils import timezone

from providers import calls, readiness, registry, secrets, services
from providers.adapters.library import Library
from providers.errors import ProviderMisconfigured
from providers.models import Provider
from providers.options import ConfigField
from providers.types import MovieRef
from tests.providers.origin import Answer, Origin

OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))
SECRET = "open-sesame"


class Keyed(Library):
    slug = "keyed"
    config_fields: ClassVar[tuple[ConfigField, ...]] = (
        *Library.config_fields,
        ConfigField(name="token", label="Token", help="Of the licence.", secret=True, required=True),
    )


@pytest.fixture(autouse=True)
def _keys(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.PROVIDER_SECRET_KEYS = [OLD]
    monkeypatch.setattr(registry, "ADAPTERS", {"library": Library, "keyed": Keyed})


def keyed(slug: str = "films", url: str = "https://films.example", **columns: Any) -> Provider:
    made = {"label": slug, "adapter": "keyed", "config": {"base_url": url}, "enabled": True, **columns}
    made.setdefault("secrets", {"token": secrets.seal(slug, "token", SECRET)})
    return Provider(slug=slug, **made)


def stored(slug: str = "films") -> Provider:
    return Provider.objects.get(pk=slug)


def rotate(*arguments: str) -> str:
    out = StringIO()
    call_command("rotate_provider_keys", *arguments, stdout=out)
    return out.getvalue()


def test_the_adapter_gets_what_was_entered_and_the_row_does_not_hold_it() -> None:
    provider = keyed()
    assert readiness.adapter_of(provider).config["token"] == SECRET
    assert SECRET not in json.dumps([provider.config, provider.secrets])


def test_two_tokens_of_one_secret_have_nothing_in_common() -> None:
    one, other = (secrets.seal("films", "token", SECRET) for _ in range(2))
    assert one != other


@pytest.mark.parametrize(
    ("slug", "name"), [("others", "token"), ("films", "second")], ids=["another row", "another field"]
)
def test_a_token_that_was_copied_elsewhere_opens_nothing_there(slug: str, name: str) -> None:
    copied = keyed(slug, secrets={name: secrets.seal("films", "token", SECRET)})
    with pytest.raises(ProviderMisconfigured, match=f"{name} cannot be read") as refused:
        secrets.reveal(copied)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    "token",
    ["", "gAAAA", "not base64 ÿ", 7, None, ["x"], Fernet(OLD).encrypt(b"{").decode()],
    ids=["empty", "cut off", "no base64", "number", "null", "list", "no JSON inside"],
)
def test_what_is_no_token_is_said_and_not_thrown_about(token: Any) -> None:
    with pytest.raises(ProviderMisconfigured, match="enter it again, or bring the old key back"):
        secrets.reveal(keyed(secrets={"token": token}))


@pytest.mark.parametrize("keys", [[], ["nonsense"], [OLD, "nonsense"]])
def test_keys_that_are_none_are_the_operators_turn(settings: Any, keys: list[str]) -> None:
    provider = keyed()
    settings.PROVIDER_SECRET_KEYS = keys
    with pytest.raises(ProviderMisconfigured, match=r"manage\.py check") as refused:
        readiness.adapter_of(provider)
    assert "nonsense" not in str(refused.value)


def test_when_a_secret_was_entered_can_be_told_without_the_key(settings: Any) -> None:
    before = timezone.now().replace(microsecond=0)
    token = secrets.seal("films", "token", SECRET)
    settings.PROVIDER_SECRET_KEYS = [NEW]
    told = secrets.set_at(token)
    assert told is not None
    assert before <= told <= timezone.now()
    assert secrets.set_at("nothing of the kind") is None


def test_one_that_cannot_be_read_keeps_no_other_from_being_searched(
    db: None, valkey: Any, settings: Any, origin: Origin
) -> None:
    settings.HTTP_TRUSTED_ORIGINS = [origin.url]
    origin.on("/movies/10378.json", Answer(body=b'{"renditions": []}'))
    keyed("locked", url=origin.url).save()
    settings.PROVIDER_SECRET_KEYS = [NEW]
    keyed("open", url=origin.url).save()
    movie = MovieRef(tmdb_id=10378, title="Big Buck Bunny")
    answers = {a.provider.pk: a for a in services.search_all(movie, at=datetime(2030, 1, 1, tzinfo=UTC))}
    assert answers["open"].answer is not None
    assert isinstance(answers["locked"].error, ProviderMisconfigured)
    assert "token cannot be read with PROVIDER_SECRET_KEYS" in stored("locked").last_error


def test_a_mistake_of_ours_is_logged_without_the_secret(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    calls.reported(RuntimeError(f"over {SECRET}"), keyed(), "search")
    assert "RuntimeError: over ***" in caplog.text


@pytest.mark.django_db
def test_rotating_takes_the_old_key_out_of_use(settings: Any) -> None:
    keyed().save()
    entered = secrets.set_at(stored().secrets["token"])
    settings.PROVIDER_SECRET_KEYS = [NEW, OLD]
    with pytest.raises(CommandError, match="Keep the old keys"):
        rotate("--check")
    assert "encrypted with the first key" in rotate()
    settings.PROVIDER_SECRET_KEYS = [NEW]
    assert secrets.reveal(stored()) == {"token": SECRET}
    assert secrets.set_at(stored().secrets["token"]) == entered
    assert "1 secrets of providers, none of them" in rotate("--check")


@pytest.mark.django_db
def test_checking_writes_nothing_and_rotating_twice_writes_once(settings: Any) -> None:
    keyed().save()
    settings.PROVIDER_SECRET_KEYS = [NEW, OLD]
    was = stored().secrets
    with pytest.raises(CommandError):
        rotate("--check")
    assert stored().secrets == was
    rotate()
    once = stored().secrets
    assert "already" in rotate()
    assert stored().secrets == once != was


@pytest.mark.django_db
def test_whoever_enters_a_secret_during_the_rotation_keeps_it(settings: Any) -> None:
    keyed().save()
    seen = stored()
    settings.PROVIDER_SECRET_KEYS = [NEW, OLD]
    token = Fernet(OLD).encrypt(json.dumps(["films", "token", "entered meanwhile"]).encode()).decode()
    Provider.objects.filter(pk="films").update(secrets={"token": token})
    assert secrets.renew(seen) == ["token"]
    settings.PROVIDER_SECRET_KEYS = [NEW]
    assert secrets.reveal(stored()) == {"token": "entered meanwhile"}


@pytest.mark.django_db
def test_a_setting_that_became_a_secret_is_taken_out_of_the_clear(settings: Any) -> None:
    config = {"base_url": "https://films.example", "token": SECRET}
    keyed(config=config, secrets={}).save()
    assert readiness.adapter_of(stored()).config["token"] == SECRET, "it works until then"
    rotate()
    assert stored().config == {"base_url": "https://films.example"}
    assert secrets.reveal(stored()) == {"token": SECRET}


@pytest.mark.django_db
def test_one_that_no_key_opens_is_named_and_the_others_are_rotated(
    settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    keyed("locked").save()
    settings.PROVIDER_SECRET_KEYS = [NEW]
    keyed("open").save()
    third = Fernet.generate_key().decode()
    settings.PROVIDER_SECRET_KEYS = [third, NEW]
    with pytest.raises(CommandError, match="1 of the providers cannot be read"):
        rotate()
    settings.PROVIDER_SECRET_KEYS = [third]
    assert secrets.reveal(stored("open")) == {"token": SECRET}
