"""What nobody but switching may do, tried column by column and row by row."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import IntegrityError, connections, router, transaction
from django.db.models import ProtectedError
from django.test import RequestFactory

from streaming import switching
from streaming.models import Movie, StreamSwitch, StreamVersion
from tests.streaming import factory
from tests.streaming.factory import NOW

MODELS = [Movie, StreamVersion, StreamSwitch]
# Written out here as well: a test that asks the models would not notice what they have forgotten.
MOVIE = ("active_stream", "active_quality", "switch_seq", "switched_at")
MOVIE += ("pinned", "hidden", "target_quality", "removed_at")
VERSION = ("retired_at", "replaced_by", "suppressed_at", "suppressed_until", "suppressed_why")
VERSION += ("canary_failures", "on_trial", "switch_seq")


@pytest.fixture
def movie(db: None) -> Movie:
    """A movie with one version and no turn so far."""
    movie = factory.movie()
    factory.version(movie, "a")
    return movie


@pytest.mark.parametrize(
    "column", [*(f"movie.{name}" for name in MOVIE), *(f"version.{name}" for name in VERSION)]
)
def test_save_refuses_what_switching_owns(movie: Movie, column: str) -> None:
    kind, _, name = column.partition(".")
    row = movie if kind == "movie" else StreamVersion.objects.get()
    with pytest.raises(ValueError, match=rf"{name}.*streaming\.switching alone"):
        row.save(update_fields=[name])


def test_save_writes_what_it_is_told_to(movie: Movie) -> None:
    movie.title, movie.overview = "New", "Not this"
    movie.save(update_fields=["title"])
    movie.refresh_from_db()
    assert (movie.title, movie.overview) == ("New", "")


def test_not_even_an_observation_takes_a_turn_in_an_open_transaction(transactional_db: None) -> None:
    """It goes past `turns.take`: the insert itself refuses."""
    movie = factory.movie()
    key = factory.version(movie, "a")
    switching.reconsider(movie.pk, at=NOW)
    using = router.db_for_write(StreamSwitch)
    moved = {"url": "https://elsewhere.example/a.m3u8"}
    with transaction.atomic(using=using):
        if not connections[using].in_atomic_block:
            pytest.skip("this database opens no transaction")
        with pytest.raises(RuntimeError, match="durable"):
            switching.observe(key, columns=moved, at=NOW)
    assert StreamSwitch.objects.count() == 1


def test_switching_refuses_an_open_transaction(transactional_db: None) -> None:
    movie = factory.movie()
    factory.version(movie, "a")
    ours = router.db_for_write(StreamSwitch)
    with transaction.atomic(using=ours), pytest.raises(RuntimeError, match="open transaction"):
        switching.reconsider(movie.pk, at=NOW)
    assert switching.reconsider(movie.pk, at=NOW) is not None


def test_a_column_under_its_other_name_is_refused_as_well(movie: Movie) -> None:
    with pytest.raises(ValueError, match=r"streaming\.switching alone"):
        movie.save(update_fields=["active_stream_id"])


def test_a_new_row_overwrites_none_that_is_there(transactional_db: None) -> None:
    movie = factory.movie()
    key = factory.version(movie, "a")
    switching.reconsider(movie.pk, at=NOW)
    with pytest.raises(IntegrityError):
        Movie(id=movie.pk, title="Again", discovered_at=NOW).save()
    assert Movie.objects.get(pk=movie.pk).active_stream_id == key


def test_a_row_of_the_log_is_never_changed(transactional_db: None) -> None:
    movie = factory.movie()
    factory.version(movie, "a")
    row = switching.reconsider(movie.pk, at=NOW)
    assert row is not None
    row.comment = "It never was so."
    with pytest.raises(IntegrityError):
        row.save()
    assert StreamSwitch.objects.get().comment == ""


def test_a_plain_save_leaves_be_what_switching_owns(movie: Movie) -> None:
    stale = Movie.objects.get(pk=movie.pk)
    key = StreamVersion.objects.get().pk
    stale_version = StreamVersion.objects.get(pk=key)
    switching.reconsider(movie.pk, at=NOW)
    stale.title = "New title"
    stale.save()
    stale_version.evidence = "seen"
    stale_version.save()
    assert Movie.objects.get(pk=movie.pk).active_stream_id == key
    assert Movie.objects.get(pk=movie.pk).title == "New title"
    assert StreamVersion.objects.get(pk=key).on_trial


def test_an_observation_may_not_name_what_switching_owns(movie: Movie) -> None:
    key = StreamVersion.objects.get().pk
    with pytest.raises(ValueError, match="retired_at"):
        switching.observe(key, columns={"retired_at": NOW}, at=NOW)


def test_the_active_version_and_a_movie_with_history_cannot_be_deleted(movie: Movie) -> None:
    key = StreamVersion.objects.get().pk
    switching.reconsider(movie.pk, at=NOW)
    with pytest.raises(ProtectedError):
        StreamVersion.objects.get(pk=key).delete()
    with pytest.raises(ProtectedError):
        movie.delete()


def test_a_movie_with_versions_cannot_be_deleted(movie: Movie) -> None:
    with pytest.raises(ProtectedError):
        movie.delete()
    assert StreamVersion.objects.exists()


def test_a_movie_with_a_log_cannot_be_deleted(movie: Movie) -> None:
    switching.reconsider(movie.pk, at=NOW)
    key = StreamVersion.objects.get().pk
    switching.suppress(key, actor=factory.EDITOR, comment="", at=NOW)
    StreamVersion.objects.filter(pk=key).delete()
    movie.refresh_from_db()
    with pytest.raises(ProtectedError):
        movie.delete()
    assert StreamSwitch.objects.count() == 2


def test_a_provider_with_versions_cannot_be_deleted(movie: Movie) -> None:
    with pytest.raises(ProtectedError):
        factory.provider().delete()
    assert StreamVersion.objects.exists()


# The admin, for a superuser


@pytest.fixture
def request_(rf: RequestFactory) -> Any:
    request = rf.get("/admin/")
    request.user = User(is_active=True, is_staff=True, is_superuser=True)
    return request


@pytest.mark.parametrize("model", MODELS)
def test_the_admin_deletes_nothing(request_: Any, model: Any) -> None:
    assert not admin.site.get_model_admin(model).has_delete_permission(request_)


@pytest.mark.parametrize("model", MODELS)
def test_the_admin_adds_nothing(request_: Any, model: Any) -> None:
    assert not admin.site.get_model_admin(model).has_add_permission(request_)


@pytest.mark.parametrize("model", MODELS)
def test_the_admin_has_no_acts_on_many_rows(request_: Any, model: Any) -> None:
    assert admin.site.get_model_admin(model).get_actions(request_) == {}
