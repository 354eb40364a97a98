"""What must be true of one movie whenever nobody is writing: its rows are the replay of its log.

`assert_consistent` reads and asserts; it finishes nothing, so a turn left half done fails it. It replays
with its own few lines and none of Marquee's, or a mistake there would agree with itself.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from uuid import UUID

from django.db import models

from streaming.models import Movie, StreamSwitch, StreamVersion
from streaming.standing import body_of

POINTER = ("active_stream_id", "active_quality", "switched_at", "pinned", "hidden")
POINTER += ("target_quality", "removed_at")
SUPPRESSION = ("suppressed_at", "suppressed_until", "suppressed_why")
RETIREMENT = ("retired_at", "replaced_by")


def assert_consistent(movie_id: int) -> list[StreamSwitch]:
    """Pointer, log, retirement, suppression and what was announced say the same. The log, oldest first."""
    log = list(reversed(StreamSwitch.objects.of(movie_id)))
    movie = Movie.objects.get(pk=movie_id)
    versions = {version.pk: version for version in StreamVersion.objects.of(movie_id)}
    _the_log_is_one_chain(movie_id, log)
    _nothing_is_half_done(movie, log)
    _the_movie_is_its_projection(movie, log)
    _versions_are_its_projection(versions, log)
    _a_move_retires_one_and_takes_another(log)
    _the_active_one_was_never_suppressed(log)
    _what_was_announced_is_true(movie, versions, log)
    return log


def _the_log_is_one_chain(movie_id: int, log: list[StreamSwitch]) -> None:
    assert [row.seq for row in log] == list(range(1, len(log) + 1)), "a turn is missing or doubled"
    assert [row.pk for row in log] == [f"{movie_id}:{row.seq}" for row in log]
    assert len({row.attempt for row in log}) == len(log), "one attempt took two turns"
    if log:
        start = (log[0].from_version, log[0].from_quality, log[0].before)
        assert start == (None, None, None), "the first turn comes from nowhere"
    for earlier, later in pairwise(log):
        left = (later.from_version, later.from_quality, later.before)
        assert left == (earlier.to_version, earlier.to_quality, earlier.after), (
            f"turn {later.pk} was decided on something else than turn {earlier.pk} left"
        )


def _nothing_is_half_done(movie: Movie, log: list[StreamSwitch]) -> None:
    assert movie.switch_seq == len(log), f"{movie.switch_seq} of {len(log)} turns are done"


def _the_movie_is_its_projection(movie: Movie, log: list[StreamSwitch]) -> None:
    for row in log:
        written = row.effects["movie"]
        assert set(POINTER) <= set(written), f"turn {row.pk} writes no more than {sorted(written)}"
        assert _plain(written["active_stream_id"]) == _plain(row.to_version)
        assert written["active_quality"] == row.to_quality
    wanted = log[-1].effects["movie"] if log else {}
    for name in POINTER:
        default = Movie._meta.get_field(name).get_default()
        assert _same(Movie, name, getattr(movie, name), wanted.get(name, default)), f"movie.{name}"


def _versions_are_its_projection(versions: dict[UUID, StreamVersion], log: list[StreamSwitch]) -> None:
    """Of those that are left: prune deletes what nothing needs any more. Found again, it begins anew."""
    replayed: dict[str, dict[str, Any]] = defaultdict(dict)
    for row in log:
        for key, columns in row.effects["versions"].items():
            version = versions.get(UUID(key))
            if version is not None and version.first_seen <= row.at:
                replayed[key] |= {**columns, "switch_seq": row.seq}
    for version in versions.values():
        wanted = replayed[str(version.pk)]
        for name in (*RETIREMENT, *SUPPRESSION, "switch_seq"):
            default = StreamVersion._meta.get_field(name).get_default()
            found = getattr(version, name)
            assert _same(StreamVersion, name, found, wanted.get(name, default)), (
                f"{name} of version {version.ref or version.pk}: {found!r}, the log says {wanted.get(name)!r}"
            )
        # A trial that was passed is no turn of the log.
        assert not version.on_trial or wanted.get("on_trial", False)
        assert version.canary_failures in (0, wanted.get("canary_failures", 0))


def _a_move_retires_one_and_takes_another(log: list[StreamSwitch]) -> None:
    for row in log:
        effects = row.effects["versions"]
        if not row.moves_pointer:
            assert row.reason == StreamSwitch.Reason.REVISED or not (row.from_version or row.to_version)
            continue
        if row.from_version:
            left = effects[str(row.from_version)]
            assert left["retired_at"] is not None
            assert left["replaced_by"] == _plain(row.to_version)
        if row.to_version:
            taken = effects[str(row.to_version)]
            assert all(taken[name] is None for name in RETIREMENT)


def _the_active_one_was_never_suppressed(log: list[StreamSwitch]) -> None:
    suppressed: dict[str, bool] = {}
    for row in log:
        for key, columns in row.effects["versions"].items():
            if "suppressed_at" in columns:
                suppressed[key] = columns["suppressed_at"] is not None
        assert not suppressed.get(str(row.to_version)), f"turn {row.pk} leads to a suppressed version"


def _what_was_announced_is_true(
    movie: Movie, versions: dict[UUID, StreamVersion], log: list[StreamSwitch]
) -> None:
    if movie.active_stream_id is None:
        assert movie.active_quality is None
        assert not log or log[-1].after is None
        return
    active = versions[movie.active_stream_id]
    assert movie.active_quality == active.quality
    assert log[-1].after == body_of(active), f"turn {log[-1].pk} announced something else"


def _plain(key: UUID | str | None) -> str | None:
    return None if key is None else str(key)


def _same(model: type[models.Model], name: str, found: Any, logged: Any) -> bool:
    """A column's value and the log's, which is JSON and knows a moment to the millisecond."""
    wanted = model._meta.get_field(name).to_python(logged)
    return bool(_to_the_millisecond(found) == _to_the_millisecond(wanted))


def _to_the_millisecond(value: Any) -> Any:
    if not isinstance(value, datetime):
        return value
    return value.astimezone(UTC).replace(microsecond=value.microsecond // 1000 * 1000)
