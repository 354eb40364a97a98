"""What `config.mongodb` mends: errors of Django's kinds, migrations to run again, text that is text."""

from __future__ import annotations

import copy
import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import DatabaseError, IntegrityError, OperationalError, connections, models
from django.db.migrations.recorder import MigrationRecorder
from django.test.utils import CaptureQueriesContext
from pymongo.errors import BulkWriteError, ExecutionTimeout, NotPrimaryError, WaitQueueTimeoutError
from pymongo.read_concern import ReadConcern

from config.databases import DOCUMENTS
from config.mongodb.base import DatabaseWrapper
from config.mongodb.errors import kind_of
from core.models import Setting
from ingestion.models import IngestLog, IngestRun, Job, Slot
from streaming.models import Movie, StreamVersion
from tests.servers import free_port
from tests.streaming import factory
from tests.streaming.factory import NOW

on_mongodb = pytest.mark.skipif(
    DOCUMENTS not in settings.DATABASES, reason="it is of MongoDB alone: run with DB=mongodb"
)


def another(**changes: Any) -> DatabaseWrapper:
    """A connection of its own, with other settings."""
    base = copy.deepcopy(connections[DOCUMENTS].settings_dict)
    options = {**base["OPTIONS"], **changes.pop("OPTIONS", {})}
    return DatabaseWrapper({**base, **changes, "OPTIONS": options}, alias=uuid.uuid4().hex)


@pytest.fixture
def away() -> Iterator[DatabaseWrapper]:
    """A database that nothing answers for."""
    where = {
        "NAME": "films",
        "HOST": f"mongodb://127.0.0.1:{free_port()}/films",
        "PORT": "",
        "USER": "",
        "PASSWORD": "",
        "OPTIONS": {"serverSelectionTimeoutMS": 50},
    }
    wrapper = DatabaseWrapper({**connections["default"].settings_dict, **where}, alias="away")
    yield wrapper
    wrapper.close_pool()


@pytest.fixture
def fresh() -> Iterator[DatabaseWrapper]:
    """An empty database beside that of the tests."""
    wrapper = another(NAME=f"test_{uuid.uuid4().hex[:8]}")
    yield wrapper
    wrapper.connection.drop_database(wrapper.settings_dict["NAME"])
    wrapper.close_pool()


def compiled(query: models.QuerySet[Any], connection: Any) -> Any:
    return query.query.get_compiler(connection=connection)


def test_a_server_that_is_away_is_an_operational_error_as_on_other_databases(away: DatabaseWrapper) -> None:
    movies = Movie.objects.filter(pk=1)
    for ask in (
        lambda: compiled(movies, away).execute_sql(),
        lambda: list(compiled(movies, away).execute_sql(chunked_fetch=True)),
        lambda: away.introspection.table_names(),
        lambda: away.introspection.get_constraints(None, "streaming_movie"),
        lambda: MigrationRecorder(away).applied_migrations(),
        lambda: away.schema_editor().create_model(Movie),
    ):
        with pytest.raises(OperationalError, match=r"127\.0\.0\.1"):
            ask()


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (NotPrimaryError("stepped down"), OperationalError),
        (WaitQueueTimeoutError("no connection is free"), OperationalError),
        (ExecutionTimeout("took too long", 50), OperationalError),
        (BulkWriteError({"writeErrors": [], "writeConcernErrors": [{"code": 64}]}), OperationalError),
        (BulkWriteError({"writeErrors": [{"code": 11000}], "writeConcernErrors": []}), IntegrityError),
        (BulkWriteError({"writeErrors": [{"code": 121}], "writeConcernErrors": []}), DatabaseError),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_each_failure_has_the_kind_that_it_has_on_other_databases(error: Any, kind: Any) -> None:
    assert kind_of(error) is kind


@on_mongodb
@pytest.mark.django_db
def test_a_cursor_that_breaks_off_is_an_operational_error() -> None:
    Setting.objects.bulk_create([Setting(name=f"S{n}", value=n, changed_at=NOW) for n in range(300)])
    reading = Setting.objects.order_by("name").iterator(chunk_size=50)
    next(reading)
    database = connections[DOCUMENTS].database
    admin = database.client.get_database("admin", read_concern=ReadConcern("local"))
    idle = admin.aggregate([{"$currentOp": {"idleCursors": True, "allUsers": True}}])
    ours = [op["cursor"]["cursorId"] for op in idle if op["ns"] == f"{database.name}.core_setting"]
    database.command("killCursors", "core_setting", cursors=ours)
    with pytest.raises(OperationalError, match="cursor"):
        list(reading)


@on_mongodb
@pytest.mark.django_db
def test_a_write_that_no_majority_acknowledges_is_an_operational_error() -> None:
    factory.movie(1)
    short = another(OPTIONS={"w": 2, "wTimeoutMS": 50})
    insert = models.sql.InsertQuery(Slot)
    insert.insert_values(Slot._meta.concrete_fields, [Slot(key="x")])
    with pytest.raises(OperationalError):
        insert.get_compiler(connection=short).execute_sql()
    update = Movie.objects.filter(pk=1).query.chain(models.sql.UpdateQuery)
    update.add_update_values({"title": "Sita"})
    with pytest.raises(OperationalError):
        update.get_compiler(connection=short).execute_sql("")
    short.close_pool()


@on_mongodb
@pytest.mark.django_db
def test_a_compare_and_swap_by_key_is_a_write_that_the_driver_may_retry() -> None:
    factory.movie(1)
    factory.movie(2)
    with CaptureQueriesContext(connections[DOCUMENTS]) as log:
        assert Movie.objects.filter(pk=1, switch_seq=0).update(switch_seq=1) == 1
        assert Movie.objects.filter(pk=1, switch_seq=0).update(switch_seq=1) == 0
        assert Movie.objects.filter(pk=1)._raw_delete(DOCUMENTS) == 1
        assert Movie.objects.filter(pk__in=[1, 2]).update(title="x") == 1
    words = [query["sql"].partition("(")[0].rpartition(".")[2] for query in log.captured_queries]
    assert words == ["update_one", "update_one", "delete_one", "update_many"]


@on_mongodb
@pytest.mark.django_db
def test_a_migration_that_was_killed_half_way_can_be_run_again(fresh: DatabaseWrapper) -> None:
    fresh.database.create_collection(IngestRun._meta.db_table)
    editor = fresh.schema_editor()
    for _ in range(2):
        editor.create_model(IngestRun)
        editor.create_model(IngestLog)
    (by_movie,) = (index for index in IngestRun._meta.indexes if index.name == "run_by_movie")
    assert "run_by_movie" in fresh.introspection.get_constraints(None, IngestRun._meta.db_table)
    for _ in range(2):
        editor.remove_index(IngestRun, by_movie)
        editor.add_index(IngestLog, IngestLog._meta.indexes[0])
    assert "run_by_movie" not in fresh.introspection.get_constraints(None, IngestRun._meta.db_table)
    indexed, plain = (models.DateTimeField(db_index=indexed) for indexed in (True, False))
    for field in (indexed, plain):
        field.set_attributes_from_name("queued_at")
    editor._add_field_index(IngestRun, indexed)
    for _ in range(2):
        editor.alter_field(IngestRun, indexed, plain)


@on_mongodb
@pytest.mark.django_db
@on_mongodb
@pytest.mark.parametrize("default", [{}, {"$add": [1, 2]}, "", "$title", [], 0, None], ids=repr)
def test_a_new_column_holds_its_default_to_the_letter(fresh: DatabaseWrapper, default: Any) -> None:
    movies = fresh.get_collection(Movie._meta.db_table)
    movies.insert_one({"_id": 1, "title": "A Film"})
    column: Any = models.JSONField(default=default, null=True)
    column.set_attributes_from_name("noted")
    fresh.schema_editor().add_field(Movie, column)
    assert movies.find_one({"_id": 1}) == {"_id": 1, "title": "A Film", "noted": default}


@on_mongodb
def test_a_new_column_that_is_added_again_keeps_what_was_written_since(fresh: DatabaseWrapper) -> None:
    movies = fresh.get_collection(Movie._meta.db_table)
    movies.insert_many([{"_id": 1}, {"_id": 2, "noted": {"by": "ada"}}])
    column: Any = models.JSONField(default=dict)
    column.set_attributes_from_name("noted")
    fresh.schema_editor().add_field(Movie, column)
    assert [*movies.find().sort("_id")] == [{"_id": 1, "noted": {}}, {"_id": 2, "noted": {"by": "ada"}}]


@on_mongodb
def test_an_index_that_means_something_else_is_still_an_error(fresh: DatabaseWrapper) -> None:
    editor = fresh.schema_editor()
    editor.create_model(IngestRun)
    with pytest.raises(DatabaseError, match="run_by_movie"):
        editor.add_index(IngestRun, models.Index(fields=["trigger"], name="run_by_movie"))


@on_mongodb
@pytest.mark.django_db
def test_a_null_is_looked_up_within_the_bounds_of_an_index() -> None:
    film, source = factory.movie(1), factory.provider()
    for number in range(40):
        factory.version(film, str(number), provider=source, retired_at=NOW, switch_seq=1)
    taken = factory.version(film, "taken", provider=source, switch_seq=1)
    found = StreamVersion.objects.taken().filter(provider=source)
    assert [version.pk for version in found] == [taken]
    assert json.loads(found.explain(verbosity="executionStats"))["executionStats"]["totalKeysExamined"] < 5


TITLE = r"M.* ($a|b) [c]{2}^ 100% x_y \d+?"


@pytest.mark.django_db
@pytest.mark.parametrize("lookup", ["exact", "iexact"])
def test_a_whole_title_is_text_and_no_pattern(lookup: str) -> None:
    for number, title in enumerate((TITLE, "Metropolis", "M")):
        factory.movie(number + 1, title=title)
    for asked, found in ((TITLE, [1]), ("M.*", []), ("^M", []), ("M|x", []), ("%", [])):
        assert list(Movie.objects.filter(**{f"title__{lookup}": asked}).values_list("pk", flat=True)) == found


@pytest.mark.django_db
@pytest.mark.parametrize("lookup", ["contains", "icontains", "startswith", "istartswith", "endswith"])
def test_a_part_of_a_title_is_text_and_no_pattern(lookup: str) -> None:
    for number, title in enumerate((TITLE, "Metropolis", "xxy")):
        factory.movie(number + 1, title=title)
    part = {"s": TITLE[:9], "e": TITLE[-9:]}.get(lookup.removeprefix("i")[0], TITLE[3:-3])
    for asked, found in ((part, [1]), ("M.*s", []), ("[a-z]", []), ("xx|M", [])):
        assert list(Movie.objects.filter(**{f"title__{lookup}": asked}).values_list("pk", flat=True)) == found


@pytest.mark.django_db
def test_what_the_log_says_is_searched_for_as_text() -> None:
    for message in ("300 (ms) for 4.5$", "300 ms"):
        IngestLog.objects.create(at=NOW, job=Job.MATCH, status="OK", message=message)
    for asked, count in (("(ms)", 1), ("4.5$", 1), (".*", 0), ("300", 2)):
        assert IngestLog.objects.filter(message__contains=asked).count() == count
