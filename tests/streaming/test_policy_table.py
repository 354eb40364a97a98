"""The policy as a table: one row for each sentence of the rules, to be checked by eye.

Read a row as: given this current stream and these candidates, the policy does so, and says that of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from streaming.policy import decide
from streaming.policy_types import Candidate, Health, Rules
from streaming.quality import Quality

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
CAM, SD, P720, P1080, P1440, P2160 = Quality


def video(key: str, quality: Quality | None, **facts: Any) -> Candidate:
    """A healthy stream whose picture was measured."""
    return Candidate(key=key, verified=quality, **{"first_seen": NOW - HOUR, **facts})


def embed(key: str, claimed: Quality | None, **facts: Any) -> Candidate:
    """A healthy embed: nothing of it can be measured."""
    return Candidate(key=key, claimed=claimed, measurable=False, **{"first_seen": NOW - HOUR, **facts})


@dataclass(frozen=True)
class Row:
    sentence: str
    current: str | None
    candidates: list[Candidate]
    expected: str
    said: dict[str, str] = field(default_factory=dict)
    rules: Rules = field(default_factory=Rules)


B, S, U = Health.BROKEN, Health.SUSPECT, Health.UNVERIFIED
LOWER_OFF = Rules(allow_lower=False)
DE = Rules(territory="DE")
PINNED = Rules(pinned=True)
TO_1080 = Rules(target=P1080)
ENFORCED = Rules(minimum=P1080, enforce=True)

# fmt: off
TABLE = [
    # Quality
    Row("quality is the verified one, not the claim",       None, [video("a", P1080, claimed=P2160), video("b", P1440)], "first b", {"a": "outranked"}),
    Row("a CAM claim stays CAM whatever is measured",       None, [video("a", P1080, claimed=CAM)],                      "keep -",  {"a": "below_minimum"}),
    Row("unknown quality is ineligible",                    None, [embed("a", None)],                                    "keep -",  {"a": "quality_unknown"}),
    Row("a claim, where nothing else can be had, counts",   None, [embed("a", P1080)],                                   "first a", {"a": "chosen"}),
    # Claims
    Row("a claim never replaces a healthy verified stream", "a",  [video("a", P720), embed("b", P2160)],                 "keep a",  {"b": "claim_not_trusted"}),
    Row("unless the provider's claims are trusted",         "a",  [video("a", P720), embed("b", P2160, trust_claims=True)], "upgrade b", {"b": "better"}),
    Row("at equal quality verified comes first",            None, [embed("a", P1080, priority=1), video("b", P1080)],    "first b", {"a": "outranked"}),
    # Ineligible
    Row("broken is ineligible",                             None, [video("a", P1080, health=B)],                         "keep -",  {"a": "broken"}),
    Row("suspect is ineligible",                            None, [video("a", P1080, health=S)],                         "keep -",  {"a": "suspect"}),
    Row("unverified is ineligible where measurable",        None, [video("a", P1080, health=U)],                         "keep -",  {"a": "unverified"}),
    Row("an embed cannot be verified and need not be",      None, [embed("a", P1080, health=U)],                         "first a", {"a": "chosen"}),
    Row("suppressed for ever is ineligible",                None, [video("a", P1080, suppressed=True)],                  "keep -",  {"a": "suppressed"}),
    Row("suppressed until later is ineligible",             None, [video("a", P1080, suppressed=True, suppressed_until=NOW + HOUR)], "keep -", {"a": "suppressed"}),
    Row("suppressed until now is eligible again",           None, [video("a", P1080, suppressed=True, suppressed_until=NOW)], "first a", {}),
    Row("below MIN_QUALITY_TO_PUBLISH is ineligible",       None, [video("a", SD)],                                      "keep -",  {"a": "below_minimum"}),
    Row("lapsed rights are ineligible, to the moment",      None, [video("a", P1080, rights_until=NOW)],                 "keep -",  {"a": "rights_lapsed"}),
    Row("rights that have not begun are ineligible",        None, [video("a", P1080, rights_from=NOW + HOUR)],           "keep -",  {"a": "rights_not_begun"}),
    Row("rights that begin now have begun",                 None, [video("a", P1080, rights_from=NOW)],                  "first a", {}),
    Row("an excluded TERRITORY is ineligible",              None, [video("a", P1080, territories=("US", "CA"))],         "keep -",  {"a": "territory_excluded"}, DE),
    Row("no territories named means everywhere",            None, [video("a", P1080)],                                   "first a", {}, DE),
    Row("a disabled provider's streams are ineligible",     None, [video("a", P1080, provider_enabled=False)],           "keep -",  {"a": "provider_disabled"}),
    Row("a provider found down is not switched to",         "a",  [video("a", P720), video("b", P1080, provider_down=True)], "keep a", {"b": "provider_down better"}),
    Row("nor failed over to",                               "a",  [video("a", P720, health=B), video("b", P1080, provider_down=True)], "withdraw -", {"b": "provider_down"}),
    Row("nor is one that the last probe could not judge",   "a",  [video("a", P720), video("b", P1080, unproven=True)],  "keep a", {"b": "unproven better"}),
    Row("which will do where nothing plays",                "a",  [video("a", P720, health=B), video("b", P1080, unproven=True)], "failover b", {}),
    Row("nor takes an unjudged probe anything down",        "a",  [video("a", P720, unproven=True), video("b", P720)],   "keep a", {"a": "current"}),
    Row("but an outage takes nothing down",                 "a",  [video("a", P720, provider_down=True), video("b", P720)], "keep a", {"a": "provider_down current"}),
    Row("a URL that expires within 24 h is ineligible",     None, [video("a", P1080, url_expires_at=NOW + 23 * HOUR)],   "keep -",  {"a": "url_expires"}),
    Row("a URL that lasts 24 h is eligible",                None, [video("a", P1080, url_expires_at=NOW + 24 * HOUR)],   "first a", {}),
    Row("marked for pruning is ineligible",                 None, [video("a", P1080, expired=True)],                     "keep -",  {"a": "expired"}),
    Row("below target is no new choice while LOWER is off", None, [video("a", P1080)],                                   "keep -",  {"a": "below_target"}, LOWER_OFF),
    Row("at target is, while LOWER is off",                 None, [video("a", P1080), video("b", P2160)],                "first b", {"a": "below_target", "b": "at_target"}, LOWER_OFF),
    Row("every reason is given, not just the first",        None, [video("a", SD, health=B, suppressed=True, rights_until=NOW)], "keep -", {"a": "broken rights_lapsed suppressed below_minimum"}),
    # Upgrade
    Row("strictly better replaces what is below target",    "a",  [video("a", P720), video("b", P1080)],                 "upgrade b", {"a": "current", "b": "chosen better"}),
    Row("to the best there is",                             "a",  [video("a", P720), video("b", P1080), video("c", P2160)], "upgrade c", {"b": "outranked"}),
    Row("the target does not cap the choice",               "a",  [video("a", P720), video("b", P1080), video("c", P2160)], "upgrade c", {}, TO_1080),
    Row("the target ends the search",                       "a",  [video("a", P1080), video("b", P2160)],                "keep a",  {"b": "target_reached better"}, TO_1080),
    Row("the target causes no downgrade",                   "a",  [video("a", P2160), video("b", P1080)],                "keep a",  {"b": "target_reached not_better"}, TO_1080),
    Row("equal quality replaces nothing: no flapping",      "a",  [video("a", P1080, reliability=0.1), video("b", P1080)], "keep a", {"b": "not_better"}),
    # Failover
    Row("failover leaves a broken stream",                  "a",  [video("a", P2160, health=B), video("b", P720)],       "failover b", {"a": "current broken"}),
    Row("failover leaves a suppressed stream",              "a",  [video("a", P2160, suppressed=True), video("b", P720)], "failover b", {"a": "suppressed"}),
    Row("failover leaves a stream out of rights",           "a",  [video("a", P2160, rights_until=NOW), video("b", P720)], "failover b", {"a": "rights_lapsed"}),
    Row("failover leaves a disabled provider's stream",     "a",  [video("a", P2160, provider_enabled=False), video("b", P720)], "failover b", {"a": "provider_disabled"}),
    Row("failover obeys MIN; with nothing there, withdraw", "a",  [video("a", P2160, health=B), video("b", SD)],         "withdraw -", {"b": "below_minimum"}),
    Row("failover does not obey TARGET or LOWER",           "a",  [video("a", P2160, health=B), video("b", P720)],       "failover b", {}, LOWER_OFF),
    Row("failover may take a mere claim",                   "a",  [video("a", P2160, health=B), embed("b", P1080)],      "failover b", {}),
    Row("a suspect current stays",                          "a",  [video("a", P1080, health=S), video("b", P1080)],      "keep a",  {"a": "suspect current"}),
    # Settings
    Row("a raised MIN removes no healthy stream",           "a",  [video("a", P720), video("b", P720)],                  "keep a",  {"a": "below_minimum"}, Rules(minimum=P1080)),
    Row("nor does a changed TERRITORY",                     "a",  [video("a", P720, territories=("US",)), video("b", P720)], "keep a", {"a": "territory_excluded"}, DE),
    Row("unless an operator applies it",                    "a",  [video("a", P720), video("b", P1080)],                 "failover b", {"a": "below_minimum"}, ENFORCED),
    # Pin
    Row("a pin stops upgrades",                             "a",  [video("a", P720), video("b", P2160)],                 "keep a",  {"b": "pinned better"}, PINNED),
    Row("a pin does not stop failover, which clears it",    "a",  [video("a", P720, health=B), video("b", P2160)],       "failover b unpin", {}, PINNED),
    # Order
    Row("order: quality",                                   None, [video("a", P1080, priority=1), video("b", P1440)],    "first b", {}),
    Row("order: then reliability",                          None, [video("a", P1080, reliability=0.5, priority=1), video("b", P1080)], "first b", {}),
    Row("order: then the provider's priority",              None, [video("a", P1080, priority=20), video("b", P1080, priority=10)], "first b", {}),
    Row("order: then the older one",                        None, [video("a", P1080, first_seen=NOW), video("b", P1080)], "first b", {}),
    Row("order: then the key",                              None, [video("b", P1080), video("a", P1080)],                "first a", {}),
]
# fmt: on


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.sentence)
def test_the_rule_holds(row: Row) -> None:
    decision = decide(row.current, row.candidates, row.rules, NOW)
    done = f"{decision.action} {decision.chosen or '-'}" + (" unpin" if decision.clears_pin else "")
    assert done == row.expected
    reasons = {verdict.key: set(verdict.reasons) for verdict in decision.verdicts}
    assert reasons.keys() == {candidate.key for candidate in row.candidates}
    for key, words in row.said.items():
        assert reasons[key] >= set(words.split()), f"of {key} it said {sorted(reasons[key])}"


def test_a_current_stream_that_nobody_knows_is_an_error() -> None:
    with pytest.raises(ValueError, match="not among the candidates"):
        decide("gone", [video("a", P1080)], Rules(), NOW)
