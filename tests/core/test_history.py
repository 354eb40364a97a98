"""The history of a setting: true after races and crashes, and what was said before holds again on request."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connections
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from core import conf, history, signals
from core.models import Setting, SettingChange
from core.options import OptionError

AT = datetime(2026, 5, 1, 12, tzinfo=UTC)
PAGES = "DISCOVER_PAGES"

pytestmark = pytest.mark.django_db


def say(value: object, **more: Any) -> conf.State:
    return conf.change(PAGES, value, by="ada", at=AT, **more)


def told() -> list[tuple[int, Any, Any]]:
    return [(entry.change, entry.before, entry.after) for entry in history.of(PAGES)]


def test_each_change_and_reset_is_an_entry_newest_first() -> None:
    assert told() == []
    say(3, comment="A start.")
    say(5)
    conf.reset(PAGES, by="bob", at=AT + timedelta(hours=1), comment="As it was.")
    assert told() == [(3, 5, None), (2, 3, 5), (1, None, 3)]
    newest, *_, oldest = history.of(PAGES)
    assert (newest.by, newest.at, newest.comment) == ("bob", AT + timedelta(hours=1), "As it was.")
    assert (oldest.by, oldest.at, oldest.comment) == ("ada", AT, "A start.")


def test_a_reset_says_who_did_it() -> None:
    say(3)
    state = conf.reset(PAGES, by="bob", at=AT)
    assert (state.source, state.value, state.changed_by, state.change) == ("default", 2, "bob", 2)


def test_what_holds_already_is_no_entry_but_is_told_again() -> None:
    heard: list[str] = []

    def listen(*, name: str, **_: Any) -> None:
        heard.append(name)

    signals.setting_changed.connect(listen)
    conf.reset(PAGES, by="ada", at=AT)
    say(3)
    conf.change(PAGES, 3, by="bob", at=AT)
    assert told() == [(1, None, 3)]
    assert conf.state(PAGES).changed_by == "ada"
    assert heard == [PAGES] * 3


def test_settings_have_their_histories_each() -> None:
    say(3)
    conf.change("TERRITORY", "de", by="ada", at=AT)
    conf.change("TERRITORY", "", by="ada", at=AT)
    assert [entry.after for entry in history.of("TERRITORY")] == ["", "DE"]
    assert told() == [(1, None, 3)]


def test_false_and_nothing_are_values_and_no_reset() -> None:
    for value in (False, True, False):
        state = conf.change("ALLOW_LOWER_QUALITY_UNTIL_UPGRADE", value, by="ada", at=AT)
        assert (state.value, state.source) == (value, "database")
    entries = history.of("ALLOW_LOWER_QUALITY_UNTIL_UPGRADE")
    assert [entry.after for entry in entries] == [False, True, False]


def test_a_revert_takes_what_an_entry_said_be_it_the_default(settings: Any) -> None:
    settings.OPTIONS_FROM_ENV = {PAGES: 7}
    say(3)
    conf.reset(PAGES, by="ada", at=AT)
    say(9)
    assert conf.revert(PAGES, 1, by="bob", at=AT).value == 3
    assert conf.revert(PAGES, 2, by="bob", at=AT).value == 7
    assert [entry.reverts_to for entry in history.of(PAGES)] == [2, 1, None, None, None]
    assert told()[:2] == [(5, 3, None), (4, 9, 3)]


@pytest.mark.parametrize("change", [0, -1, 2, 10**9])
def test_a_revert_to_an_entry_that_is_none_says_which_there_are(change: int) -> None:
    with pytest.raises(history.UnknownChange, match="It was never changed"):
        conf.revert(PAGES, change, by="ada", at=AT)
    say(3)
    with pytest.raises(history.UnknownChange, match="There are 1 to 1"):
        conf.revert(PAGES, change, by="ada", at=AT)
    assert told() == [(1, None, 3)]


def test_a_revert_to_what_is_not_allowed_any_more_is_refused() -> None:
    Setting.objects.create(name=PAGES, value=10_000, changed_at=AT)
    say(3)
    with pytest.raises(OptionError, match="10000 is not"):
        conf.revert(PAGES, 1, by="ada", at=AT)
    assert conf.current().discover_pages == 3


def test_a_setting_from_before_there_was_a_history_is_its_first_entry() -> None:
    Setting.objects.create(name=PAGES, value=4, changed_at=AT, changed_by="ada")
    say(3)
    assert told() == [(2, 4, 3), (1, None, 4)]


def test_a_death_between_the_two_writes_leaves_what_held_and_is_made_good() -> None:
    say(3)

    class Killed(BaseException):
        pass

    def die(*_: Any, **__: Any) -> None:
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.db.models.query.QuerySet.update", die)
        with pytest.raises(Killed):
            say(5)
    assert SettingChange.objects.count() == 1
    assert (conf.current().discover_pages, told()) == (3, [(1, None, 3)])
    say(5)
    assert (conf.current().discover_pages, told()) == (5, [(2, 3, 5), (1, None, 3)])


def test_an_entry_is_never_written_over() -> None:
    say(3)
    say(5)
    kept = SettingChange.objects.get()
    kept.value = 99
    with pytest.raises(Exception, match=r"(?i)unique|duplicate"):
        kept.save()


class Histories(TestCase):
    databases = "__all__"

    @given(st.lists(st.none() | st.integers(1, 5) | st.tuples(st.integers(1, 9)), max_size=12))
    def test_entries_are_a_chain_without_a_gap_that_ends_in_what_holds(self, words: list[Any]) -> None:
        Setting.objects.all().delete()
        SettingChange.objects.all().delete()
        for word in words:
            try:
                if isinstance(word, tuple):
                    conf.revert(PAGES, word[0], by="ada", at=AT)
                elif word is None:
                    conf.reset(PAGES, by="ada", at=AT)
                else:
                    say(word)
            except history.UnknownChange:
                continue
        entries = history.of(PAGES)[::-1]
        assert [entry.change for entry in entries] == [*range(1, len(entries) + 1)]
        afters = [None, *(entry.after for entry in entries)]
        assert [entry.before for entry in entries] == afters[:-1]
        assert conf.current().discover_pages == (2 if afters[-1] is None else afters[-1])


@pytest.mark.django_db(transaction=True)
def test_of_operators_who_race_none_is_left_out_and_the_last_word_holds() -> None:
    start = threading.Barrier(4)
    failed: list[BaseException] = []

    def operate(who: int) -> None:
        try:
            start.wait(20)
            for value in range(10 * who + 1, 10 * who + 6):
                conf.change(PAGES, value, by=f"operator {who}", at=AT)
        except BaseException as error:
            failed.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=operate, args=(who,)) for who in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    entries = history.of(PAGES)[::-1]
    assert [entry.change for entry in entries] == [*range(1, 21)]
    assert [entry.before for entry in entries[1:]] == [entry.after for entry in entries[:-1]]
    for who in range(4):
        mine = [entry.after for entry in entries if entry.by == f"operator {who}"]
        assert mine == [*range(10 * who + 1, 10 * who + 6)]
    assert conf.current().discover_pages == entries[-1].after
