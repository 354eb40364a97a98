"""Every rule of `streaming.policy`: what is eligible, what is better, when to leave, in which order."""

from __future__ import annotations

from streaming.policy_types import Reason
from tests.mutants.mutant import Mutant, mutants_of

policy = mutants_of("streaming/policy.py")
values = mutants_of("streaming/policy_types.py")
quality = mutants_of("streaming/quality.py")
RULES = "tests/streaming/test_policy_rules.py"
TABLE = "tests/streaming/test_policy_table.py::test_the_rule_holds[{}]"


def row(sentence: str) -> str:
    """The test of one row of the policy's table."""
    return TABLE.format(sentence)


def silent(reason: Reason, condition: str, *rows: str) -> Mutant:
    """A reason that is never given, whatever it was."""
    name = f"{reason.value.replace('_', ' ')} is no reason any more"
    return policy(name, f"    if {condition}:", "    if False:", *map(row, rows), takes=reason.value)


def unsaid(reason: Reason, condition: str, *rows: str) -> Mutant:
    """A reason of `_passed_over` that is never given."""
    name = f"{reason.value.replace('_', ' ')} is not said any more"
    text = f"Reason.{reason.name}: {condition},"
    return policy(name, text, f"Reason.{reason.name}: False,", *map(row, rows), takes=reason.value)


QUALITY = [
    quality(
        "a CAM claim is forgotten once something was measured",
        "    if claimed is Quality.CAM:\n        return Quality.CAM\n",
        "",
        row("a CAM claim stays CAM whatever is measured"),
    ),
    quality(
        "a claim counts although the picture was measured",
        "return verified if measurable else claimed",
        "return claimed or verified",
        row("quality is the verified one, not the claim"),
    ),
    quality(
        "an embed's claim counts for nothing",
        "return verified if measurable else claimed",
        "return verified",
        row("a claim, where nothing else can be had, counts"),
    ),
]
ELIGIBLE = [
    silent(Reason.BROKEN, "c.health is Health.BROKEN", "broken is ineligible"),
    silent(Reason.SUSPECT, "c.health is Health.SUSPECT", "suspect is ineligible"),
    silent(
        Reason.UNVERIFIED,
        "c.health is Health.UNVERIFIED and c.measurable",
        "unverified is ineligible where measurable",
    ),
    policy(
        "an embed has to be verified",
        "c.health is Health.UNVERIFIED and c.measurable",
        "c.health is Health.UNVERIFIED",
        row("an embed cannot be verified and need not be"),
    ),
    policy(
        "suppressed is no reason any more",
        "    if is_suppressed(c, at):",
        "    if False:",
        row("suppressed for ever is ineligible"),
        row("suppressed until later is ineligible"),
        takes=Reason.SUPPRESSED.value,
    ),
    policy(
        "for ever is over at once",
        "c.suppressed and (c.suppressed_until is None or c.suppressed_until > at)",
        "c.suppressed and c.suppressed_until is not None and c.suppressed_until > at",
        row("suppressed for ever is ineligible"),
        row("failover leaves a suppressed stream"),
    ),
    policy(
        "a suppression never ends",
        "c.suppressed and (c.suppressed_until is None or c.suppressed_until > at)",
        "c.suppressed",
        row("suppressed until now is eligible again"),
    ),
    policy(
        "a suppression ends at once",
        "c.suppressed_until > at)",
        "c.suppressed_until < at)",
        row("suppressed until later is ineligible"),
    ),
    policy(
        "a suppression lasts a moment too long",
        "c.suppressed_until > at)",
        "c.suppressed_until >= at)",
        row("suppressed until now is eligible again"),
    ),
    silent(
        Reason.PROVIDER_DOWN,
        "c.provider_down",
        "a provider found down is not switched to",
        "nor failed over to",
    ),
    silent(
        Reason.TERRITORY_EXCLUDED,
        "rules.territory and c.territories and rules.territory not in c.territories",
        "an excluded TERRITORY is ineligible",
    ),
    policy(
        "a licence for our territory will not do",
        " and rules.territory not in c.territories:",
        ":",
        f"{RULES}::test_a_licence_for_our_territory_will_do",
    ),
    policy(
        "rights that end later have lapsed",
        "if c.rights_until is not None and c.rights_until <= at:",
        "if c.rights_until is not None:",
        f"{RULES}::test_rights_that_end_later_have_not_lapsed",
    ),
    policy(
        "no territories named means nowhere",
        "rules.territory and c.territories and rules.territory not in c.territories",
        "rules.territory and rules.territory not in c.territories",
        row("no territories named means everywhere"),
    ),
    policy(
        "without a TERRITORY no licence for one is good enough",
        "rules.territory and c.territories and rules.territory not in c.territories",
        "c.territories and rules.territory not in c.territories",
        f"{RULES}::test_without_a_territory_any_licence_will_do",
    ),
    silent(
        Reason.URL_EXPIRES,
        "c.url_expires_at is not None and c.url_expires_at < at + URL_MARGIN",
        "a URL that expires within 24 h is ineligible",
    ),
    policy(
        "a URL may expire at any moment",
        "URL_MARGIN = timedelta(hours=24)",
        "URL_MARGIN = timedelta(0)",
        row("a URL that expires within 24 h is ineligible"),
    ),
    policy(
        "a URL that lasts 24 h is refused",
        "c.url_expires_at < at + URL_MARGIN",
        "c.url_expires_at <= at + URL_MARGIN",
        row("a URL that lasts 24 h is eligible"),
    ),
    policy(
        "unknown quality is no reason any more",
        "        yield Reason.QUALITY_UNKNOWN\n",
        "        pass\n",
        row("unknown quality is ineligible"),
        takes=Reason.QUALITY_UNKNOWN.value,
    ),
    policy(
        "below MIN is no reason any more",
        "    elif c.quality < rules.minimum:",
        "    elif False:",
        row("below MIN_QUALITY_TO_PUBLISH is ineligible"),
        row("failover obeys MIN; with nothing there, withdraw"),
        takes=Reason.BELOW_MINIMUM.value,
    ),
    policy(
        "exactly MIN is not enough",
        "    elif c.quality < rules.minimum:",
        "    elif c.quality <= rules.minimum:",
        row("failover leaves a broken stream"),
    ),
    policy(
        "below TARGET is no reason any more",
        "    elif c.quality < rules.target and not rules.allow_lower and not failing_over:",
        "    elif False:",
        row("below target is no new choice while LOWER is off"),
        takes=Reason.BELOW_TARGET.value,
    ),
    policy(
        "exactly TARGET is not enough while LOWER is off",
        "    elif c.quality < rules.target and",
        "    elif c.quality <= rules.target and",
        row("at target is, while LOWER is off"),
    ),
    policy(
        "ALLOW_LOWER is off whatever it says",
        "c.quality < rules.target and not rules.allow_lower and",
        "c.quality < rules.target and",
        row("strictly better replaces what is below target"),
    ),
    policy(
        "a failover waits for the target",
        "not rules.allow_lower and not failing_over:",
        "not rules.allow_lower:",
        row("failover does not obey TARGET or LOWER"),
    ),
    silent(
        Reason.RIGHTS_LAPSED,
        "c.rights_until is not None and c.rights_until <= at",
        "lapsed rights are ineligible, to the moment",
    ),
    policy(
        "rights last a moment too long",
        "c.rights_until <= at",
        "c.rights_until < at",
        row("lapsed rights are ineligible, to the moment"),
    ),
    silent(
        Reason.RIGHTS_NOT_BEGUN,
        "c.rights_from is not None and c.rights_from > at",
        "rights that have not begun are ineligible",
    ),
    policy(
        "rights begin a moment too late",
        "c.rights_from > at",
        "c.rights_from >= at",
        row("rights that begin now have begun"),
    ),
    silent(
        Reason.PROVIDER_DISABLED, "not c.provider_enabled", "a disabled provider's streams are ineligible"
    ),
    silent(Reason.EXPIRED, "c.expired", "marked for pruning is ineligible"),
]
LEAVING = [
    *(
        policy(
            f"a current stream stays although it is {why}",
            text,
            replacement,
            row(sentence),
        )
        for why, text, replacement, sentence in [
            ("broken", "gone = {Reason.BROKEN, ", "gone = {", "failover leaves a broken stream"),
            (
                "out of rights",
                "Reason.BROKEN, Reason.RIGHTS_LAPSED, ",
                "Reason.BROKEN, ",
                "failover leaves a stream out of rights",
            ),
            (
                "of a disabled provider",
                ", Reason.PROVIDER_DISABLED}",
                "}",
                "failover leaves a disabled provider's stream",
            ),
            (
                "suppressed",
                " or is_suppressed(current, at):",
                ":",
                "failover leaves a suppressed stream",
            ),
        ]
    ),
    policy(
        "a current stream stays although its rights are said to begin later",
        "Reason.RIGHTS_LAPSED, Reason.RIGHTS_NOT_BEGUN, Reason",
        "Reason.RIGHTS_LAPSED, Reason",
        f"{RULES}::test_a_current_stream_whose_rights_begin_later_is_left",
    ),
    policy(
        "a current stream is left because it is suspect",
        "gone.intersection(unplayable(current, at))",
        "gone.intersection(unplayable(current, at)) or current.health is Health.SUSPECT",
        row("a suspect current stays"),
    ),
    policy(
        "a current stream is left because its provider is down",
        "gone.intersection(unplayable(current, at))",
        "gone.intersection(unplayable(current, at)) or current.provider_down",
        row("but an outage takes nothing down"),
    ),
    policy(
        "a current stream is left because it was marked for pruning",
        "gone = {",
        "gone = {Reason.EXPIRED, ",
        f"{RULES}::test_a_current_stream_marked_for_pruning_stays",
    ),
    policy(
        "changed settings remove a healthy stream",
        "return rules.enforce and bool(",
        "return bool(",
        row("a raised MIN removes no healthy stream"),
        row("nor does a changed TERRITORY"),
    ),
    policy(
        "an operator's word removes nothing",
        "return rules.enforce and bool(",
        "return False and bool(",
        row("unless an operator applies it"),
    ),
    policy(
        "an operator's word removes what the settings allow",
        "bool(ENFORCED.intersection(blockers(current, rules, at, failing_over=True)))",
        "True",
        f"{RULES}::test_an_operator_who_applies_the_settings_removes_nothing_that_they_allow",
    ),
    policy(
        "an operator's word does not apply MIN",
        "ENFORCED = frozenset({Reason.BELOW_MINIMUM, ",
        "ENFORCED = frozenset({",
        row("unless an operator applies it"),
    ),
    policy(
        "an operator's word does not apply TERRITORY",
        "ENFORCED = frozenset({Reason.BELOW_MINIMUM, Reason.TERRITORY_EXCLUDED}",
        "ENFORCED = frozenset({Reason.BELOW_MINIMUM}",
        f"{RULES}::test_an_operator_may_apply_a_changed_territory",
    ),
    policy(
        "with nothing at MIN the stream that has to go stays",
        "return Action.FAILOVER if taken else Action.WITHDRAW",
        "return Action.FAILOVER if taken else Action.KEEP",
        row("failover obeys MIN; with nothing there, withdraw"),
    ),
    policy(
        "a stream that has to go stays the chosen one",
        "taken.key if taken else (current if not leave else None)",
        "taken.key if taken else current",
        row("failover obeys MIN; with nothing there, withdraw"),
    ),
    policy(
        "a failover keeps the pin",
        "clears_pin=leave and rules.pinned",
        "clears_pin=False",
        row("a pin does not stop failover, which clears it"),
    ),
    policy(
        "a pin stops failover",
        "leave = now is not None and must_leave(now, rules, at)",
        "leave = now is not None and not rules.pinned and must_leave(now, rules, at)",
        row("a pin does not stop failover, which clears it"),
    ),
    policy(
        "a current stream that nobody knows is passed over in silence",
        "    if current is not None and now is None:",
        "    if False:",
        "tests/streaming/test_policy_table.py::test_a_current_stream_that_nobody_knows_is_an_error",
    ),
]
UPGRADING = [
    policy(
        "a pin does not stop upgrades",
        "if rules.pinned or _at_target(now, rules):",
        "if _at_target(now, rules):",
        row("a pin stops upgrades"),
    ),
    policy(
        "the target does not end the search",
        "if rules.pinned or _at_target(now, rules):",
        "if rules.pinned:",
        row("the target ends the search"),
    ),
    policy(
        "exactly the target does not end the search",
        "c.quality >= rules.target",
        "c.quality > rules.target",
        row("the target ends the search"),
    ),
    policy(
        "the target caps the choice",
        "return next((c for c in eligible if _improves(c, now)), None)",
        "return next((c for c in reversed(eligible) if _improves(c, now)), None)",
        row("to the best there is"),
        row("the target does not cap the choice"),
    ),
    policy(
        "equal quality replaces a healthy stream",
        "c.quality > now.quality)",
        "c.quality >= now.quality and c is not now)",
        row("equal quality replaces nothing: no flapping"),
    ),
    policy(
        "a lower quality replaces a higher one",
        "c.quality > now.quality)",
        "c.quality != now.quality)",
        f"{RULES}::test_below_its_target_a_stream_is_not_replaced_by_a_lower_one",
    ),
    policy(
        "a stream of unknown quality is never improved on",
        "(now.quality is None or c.quality > now.quality)",
        "(now.quality is not None and c.quality > now.quality)",
        f"{RULES}::test_any_known_quality_is_better_than_an_unknown_one",
    ),
    policy(
        "a mere claim replaces a verified stream",
        "return _better(c, now) and not _untrusted(c, now) and not c.unproven",
        "return _better(c, now) and not c.unproven",
        row("a claim never replaces a healthy verified stream"),
    ),
    values(
        "trust_claims means nothing",
        "return self.is_verified or self.trust_claims",
        "return self.is_verified",
        row("unless the provider's claims are trusted"),
    ),
    values(
        "every claim is trusted",
        "return self.is_verified or self.trust_claims",
        "return True",
        row("a claim never replaces a healthy verified stream"),
    ),
    policy(
        "a claim replaces no claim",
        "return now.is_assured and not c.is_assured",
        "return not c.is_assured",
        f"{RULES}::test_a_better_claim_replaces_a_claim",
    ),
    policy(
        "a trusted claim gives way to an untrusted one",
        "return now.is_assured and not c.is_assured",
        "return now.is_verified and not c.is_assured",
        f"{RULES}::test_a_trusted_claim_does_not_give_way_to_a_mere_one",
    ),
    policy(
        "a first stream is an upgrade",
        "return Action.FIRST if now is None else Action.UPGRADE",
        "return Action.UPGRADE",
        row("rights that begin now have begun"),
    ),
    policy(
        "a failover takes the worst that there is",
        "return eligible[0] if eligible else None",
        "return eligible[-1] if eligible else None",
        f"{RULES}::test_a_failover_takes_the_best_there_is",
        row("order: quality"),
    ),
    policy(
        "a failover goes to what is not eligible",
        "[c for c in ranked if not blocked[c.key]]",
        "[c for c in ranked if not blocked[c.key] or leave and c is not now]",
        row("failover obeys MIN; with nothing there, withdraw"),
        row("nor failed over to"),
    ),
]
ORDER = [
    policy(f"order without {what}", text, replacement, row(sentence))
    for what, text, replacement, sentence in [
        ("quality", "return (_height(c), ", "return (", "order: quality"),
        (
            "verified before claimed",
            "_height(c), not c.is_verified, ",
            "_height(c), ",
            "at equal quality verified comes first",
        ),
        ("reliability", "-c.reliability, ", "", "order: then reliability"),
        (
            "the provider's priority",
            "c.priority, c.first_seen",
            "c.first_seen",
            "order: then the provider's priority",
        ),
        ("age", "c.priority, c.first_seen, c.key", "c.priority, c.key", "order: then the older one"),
        ("a key", "c.first_seen, c.key)", "c.first_seen)", "order: then the key"),
    ]
]
SAID = [
    unsaid(Reason.PINNED, "rules.pinned", "a pin stops upgrades"),
    unsaid(Reason.TARGET_REACHED, "_at_target(now, rules)", "the target ends the search"),
    unsaid(Reason.NOT_BETTER, "not _better(c, now)", "equal quality replaces nothing: no flapping"),
    unsaid(
        Reason.CLAIM_NOT_TRUSTED, "_untrusted(c, now)", "a claim never replaces a healthy verified stream"
    ),
    unsaid(Reason.UNPROVEN, "c.unproven", "nor is one that the last probe could not judge"),
    policy(
        "what no probe could judge replaces what plays",
        "return _better(c, now) and not _untrusted(c, now) and not c.unproven",
        "return _better(c, now) and not _untrusted(c, now)",
        row("nor is one that the last probe could not judge"),
    ),
    policy(
        "outranked is not said any more",
        "if holds] or [Reason.OUTRANKED]",
        "if holds]",
        row("to the best there is"),
        takes=Reason.OUTRANKED.value,
    ),
    policy(
        "outranked is not said of a first choice",
        "        return [Reason.OUTRANKED]\n",
        "        return []\n",
        row("quality is the verified one, not the claim"),
    ),
    silent(Reason.CHOSEN, "c is taken", "strictly better replaces what is below target"),
    silent(Reason.CURRENT, "c is now", "strictly better replaces what is below target"),
    policy(
        "verified is not said any more",
        "    if c.is_verified:",
        "    if False:",
        f"{RULES}::test_what_was_measured_is_said_to_be",
        takes=Reason.VERIFIED.value,
    ),
    silent(Reason.AT_TARGET, "_at_target(c, rules)", "at target is, while LOWER is off"),
    silent(
        Reason.BETTER,
        "now is not None and _better(c, now)",
        "unless the provider's claims are trusted",
    ),
    policy(
        "better is said of all",
        "if now is not None and _better(c, now):",
        "if now is not None and c is not now:",
        f"{RULES}::test_each_candidate_is_told_what_holds_of_it_and_nothing_else",
    ),
    policy(
        "what is not eligible is said to be outranked",
        "if not blocked and c is not taken and c is not now:",
        "if c is not taken and c is not now:",
        f"{RULES}::test_each_candidate_is_told_what_holds_of_it_and_nothing_else",
    ),
    policy(
        "the chosen one is said to be passed over",
        "if not blocked and c is not taken and c is not now:",
        "if not blocked and c is not now:",
        f"{RULES}::test_each_candidate_is_told_what_holds_of_it_and_nothing_else",
    ),
    policy(
        "the current one is said to be passed over",
        "if not blocked and c is not taken and c is not now:",
        "if not blocked and c is not taken:",
        f"{RULES}::test_each_candidate_is_told_what_holds_of_it_and_nothing_else",
    ),
    policy(
        "whoever is passed over in a failover is compared with what is left",
        "if now is None or leave:\n        return [Reason.OUTRANKED]",
        "if now is None:\n        return [Reason.OUTRANKED]",
        f"{RULES}::test_whoever_is_passed_over_in_a_failover_was_outranked_and_no_more",
    ),
    values(
        "an embed is said to be measured",
        "return self.measurable and self.verified is not None",
        "return self.verified is not None",
        f"{RULES}::test_what_was_not_measured_is_not_said_to_be",
    ),
    values(
        "what was not measured so far is said to be",
        "return self.measurable and self.verified is not None",
        "return self.measurable",
        f"{RULES}::test_what_was_not_measured_is_not_said_to_be",
    ),
    values(
        "a decision is stored without an unknown quality",
        "v.quality.label if v.quality is not None else None",
        'v.quality.label if v.quality is not None else "SD"',
        f"{RULES}::test_a_decision_is_stored_in_words",
    ),
    policy(
        "only the first reason is given",
        "blocked = {c.key: tuple(blockers(c, rules, at, failing_over=leave)) for c in ranked}",
        "blocked = {c.key: tuple(blockers(c, rules, at, failing_over=leave))[:1] for c in ranked}",
        row("every reason is given, not just the first"),
    ),
]
MUTANTS = [*QUALITY, *ELIGIBLE, *LEAVING, *UPGRADING, *ORDER, *SAID]
