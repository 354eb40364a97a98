"""The conformance kit: what every adapter keeps to, as plain functions over an adapter and its answers.

`tests/providers/test_contract.py` asks every rule of every registered adapter; nothing is to be written for a
new one but its recorded answers (tests/providers/answers/README.md).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from tests.providers.kit import asking, declarations, failing, reading
from tests.providers.kit.case import BrokenRule, Case

__all__ = ["RULES", "BrokenRule", "Case"]

RULES: Final[Mapping[str, Callable[[Case], None]]] = {
    rule.__name__: rule
    for rule in (
        declarations.says_what_it_is,
        declarations.declares_what_it_can,
        declarations.declares_its_settings,
        declarations.names_a_wrong_setting,
        declarations.imports_nothing_that_acts,
        asking.asks_only_with_what_it_finds_by,
        asking.asks_the_same_each_time,
        asking.asks_within_bounds,
        asking.asks_only_where_the_operator_says,
        asking.quotes_what_it_sends,
        reading.reads_what_is_recorded,
        reading.delivers_what_it_declares,
        reading.says_by_which_rights,
        reading.gives_equal_frozen_answers,
        reading.keeps_the_identity_of_a_rendition,
        reading.takes_nothing_for_nothing,
        reading.refuses_what_it_cannot_read,
        reading.keeps_secrets,
        failing.takes_no_huge_answer,
        failing.waits_for_no_slow_answer,
        failing.notices_an_answer_cut_off,
        failing.takes_a_refusal_for_a_wrong_setting,
        failing.finds_nothing_in_a_404,
        failing.passes_a_rate_limit_on,
        failing.passes_an_outage_on,
    )
}
