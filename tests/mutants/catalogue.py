"""All mutants, room by room."""

from __future__ import annotations

from tests.mutants.rooms import (
    blaming,
    guards,
    keeping,
    measuring,
    planning,
    policy,
    protocol,
    running,
    trusting,
)

ROOMS = (protocol, guards, policy, planning, measuring, blaming, keeping, running, trusting)
MUTANTS = [mutant for room in ROOMS for mutant in room.MUTANTS]
