"""Every invariant of a simulated day by its name in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from tests.simulation import log_rules, state_rules
from tests.simulation.seen import Seen, look

__all__ = ["ALL", "Seen", "look"]

ALL: Mapping[str, Callable[[Seen], Iterator[str]]] = {
    check.__name__.replace("_", " "): check
    for check in (
        log_rules.keys_are_computable,
        log_rules.rows_are_the_replay_of_the_log,
        log_rules.turns_obey_the_policy,
        log_rules.suppressed_stays_out,
        log_rules.nothing_flaps,
        state_rules.active_may_be_shown,
        state_rules.no_decision_is_overdue,
        state_rules.outages_change_nothing,
        state_rules.switches_follow_probes,
        state_rules.runs_are_closed,
        state_rules.pruned_was_not_needed,
    )
}
