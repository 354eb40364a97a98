"""All mutants, room by room."""

from __future__ import annotations

from tests.mutants.rooms import policy, protocol

MUTANTS = [*protocol.MUTANTS, *policy.MUTANTS]
