"""What a turn changes: editors' verbs, rollback, canaries, and the settings as the policy gets them."""

from __future__ import annotations

from tests.mutants.mutant import mutants_of

SWITCHING = "tests/streaming/test_switching.py"
PLANS = "tests/streaming/test_plans.py"
plans = mutants_of("streaming/plans.py", tests=SWITCHING)
standing = mutants_of("streaming/standing.py", tests=PLANS)
events = mutants_of("streaming/events.py", tests=SWITCHING)
switching = mutants_of("streaming/switching.py", tests=SWITCHING)

DECIDING = [
    plans(
        "a withdrawn movie gets streams again by itself",
        "    if seen.movie.removed_at is not None:\n        return None\n    decision",
        "    decision",
        "test_a_withdrawn_movie_keeps_its_history_and_its_count",
    ),
    plans(
        "a decision to change nothing makes a turn",
        "return None if decision.action is Action.KEEP else _following",
        "return _following",
        "test_nothing_to_change_writes_nothing",
    ),
    plans(
        "the turn of a failover keeps the pin",
        "pinned = seen.movie.pinned and not decision.clears_pin",
        "pinned = seen.movie.pinned",
        "test_a_failover_clears_the_pin_and_promises_nothing_of_the_dead_stream",
    ),
    plans(
        "the decision is not kept",
        "return replace(plan, decision=decision.as_json(), movie=columns)",
        "return replace(plan, movie=columns)",
        f"{PLANS}::test_the_decision_kept_is_the_one_that_was_followed",
    ),
    switching(
        "enforce means nothing",
        "plans.by_policy(view, enforce=enforce)",
        "plans.by_policy(view)",
        "test_enforced_settings_remove_a_healthy_stream_and_plain_ones_do_not",
    ),
]
MOVING = [
    plans(
        "what is left is not retired",
        '{"retired_at": seen.at, "replaced_by"',
        '{"replaced_by"',
        "test_an_upgrade_retires_the_old_stream_and_names_its_successor",
    ),
    plans(
        "what is left does not say what took its place",
        '"replaced_by": to.pk if to else None, "on_trial"',
        '"on_trial"',
        "test_an_upgrade_retires_the_old_stream_and_names_its_successor",
    ),
    plans(
        "what is left stays on trial",
        '"replaced_by": to.pk if to else None, "on_trial": False}',
        '"replaced_by": to.pk if to else None}',
        f"{PLANS}::test_what_is_left_is_on_trial_no_more",
    ),
    plans(
        "what is taken stays retired",
        '            "retired_at": None,\n            "replaced_by": None,\n            "on_trial"',
        '            "on_trial"',
        f"{PLANS}::test_what_is_taken_again_forgets_that_it_was_left",
    ),
    plans(
        "what is taken stays suppressed",
        "versions[to.pk] = {**taken, **_CLEARED}",
        "versions[to.pk] = taken",
        "test_a_suppression_with_an_end_ends",
    ),
    plans(
        "what is taken is on no trial",
        '            "on_trial": True,\n',
        "",
        "test_an_upgrade_retires_the_old_stream_and_names_its_successor",
    ),
    plans(
        "what is taken is not probed soon after",
        '            "next_check_at": seen.at + CANARY_AFTER,\n',
        "",
        f"{PLANS}::test_what_is_taken_is_probed_a_minute_later",
    ),
    plans(
        "a canary waits for an hour",
        "CANARY_AFTER = timedelta(minutes=1)",
        "CANARY_AFTER = timedelta(hours=1)",
        f"{PLANS}::test_what_is_taken_is_probed_a_minute_later",
    ),
]
EDITORS = [
    plans(
        "an editor may choose what cannot be played",
        "    version, left = seen.version(key), seen.active\n    refuse_unplayable(seen, version)\n",
        "    version, left = seen.version(key), seen.active\n",
        "test_a_broken_stream_is_neither_returned_to_nor_activated",
    ),
    plans(
        "an editor may choose for a withdrawn movie",
        "    if seen.movie.removed_at is not None:\n        raise Withdrawn(",
        "    if False:\n        raise Withdrawn(",
        f"{PLANS}::test_a_withdrawn_movie_has_to_be_restored_before_a_stream_is_chosen",
    ),
    plans(
        "choosing what is active moves the pointer to where it is",
        "    if left is not None and left.pk == key:\n",
        "    if False:\n",
        "test_activating_what_is_active_changes_nothing",
    ),
    plans(
        "an editor may not choose where nothing is active",
        "    if left is not None and left.pk == key:\n",
        "    if left.pk == key:\n",
        f"{PLANS}::test_an_editor_may_choose_where_nothing_is_active",
    ),
    plans(
        "the pin of an editor's choice is lost",
        "left_extra=extra, pinned=pin)\n\n\ndef rollback_target",
        "left_extra=extra, pinned=False)\n\n\ndef rollback_target",
        "test_an_editor_may_choose_what_the_policy_would_not",
    ),
    plans(
        "suppress_current means nothing",
        'An editor chose another stream.") if suppress_current else {}',
        'An editor chose another stream.") if False else {}',
        f"{PLANS}::test_an_editor_who_chooses_another_stream_may_suppress_the_current_one",
    ),
    plans(
        "an edit that changes nothing makes a turn",
        "movie=changed) if changed else None",
        "movie=changed)",
        f"{PLANS}::test_an_edit_that_changes_nothing_is_no_turn",
    ),
    plans(
        "withdrawing twice makes two turns",
        "    if seen.movie.removed_at is not None:\n        return None\n    out =",
        "    out =",
        f"{PLANS}::test_withdrawing_and_restoring_twice_is_once",
    ),
    plans(
        "restoring twice makes two turns",
        "    if seen.movie.removed_at is None:\n        return None\n",
        "",
        f"{PLANS}::test_withdrawing_and_restoring_twice_is_once",
    ),
    plans(
        "a withdrawal keeps the pin",
        '{"removed_at": seen.at, "pinned": False, ',
        '{"removed_at": seen.at, "pinned": seen.movie.pinned, ',
        f"{PLANS}::test_a_withdrawal_takes_stream_and_pin",
    ),
    plans(
        "a movie that was withdrawn stays due",
        ', "next_check_at": None, "refresh_at": None}',
        "}",
        f"{PLANS}::test_a_movie_that_is_withdrawn_is_due_no_more",
    ),
    plans(
        "another target waits for its turn",
        '    if "target_quality" in changed:\n',
        "    if False:\n",
        f"{PLANS}::test_another_target_has_the_movie_searched_for_as_if_it_were_new",
    ),
    plans(
        "a withdrawal keeps the stream",
        "_move(seen, Reason.WITHDRAWN, None, pinned=False)",
        "_move(seen, Reason.WITHDRAWN, seen.active, pinned=False)",
        f"{PLANS}::test_a_withdrawal_takes_stream_and_pin",
    ),
    plans(
        "releasing what is not suppressed makes a turn",
        "    if seen.version(key).suppressed_at is None:\n        return None\n",
        "",
        f"{PLANS}::test_releasing_what_is_not_suppressed_is_no_turn",
    ),
    plans(
        "a released version stays suppressed",
        "versions={key: dict(_CLEARED)})",
        "versions={key: {}})",
        "test_suppressing_the_active_stream_leaves_it_in_the_same_turn",
    ),
    plans(
        "suppressing the active stream does not leave it",
        "    if seen.active is not version:\n        return Plan(reason=Reason.REVISED",
        "    if True:\n        return Plan(reason=Reason.REVISED",
        "test_suppressing_the_active_stream_leaves_it_in_the_same_turn",
    ),
    plans(
        "the decision on a suppression does not know of it",
        "seen.decide(instead=[with_columns(version, columns)])",
        "seen.decide(instead=[])",
        "test_suppressing_the_active_stream_leaves_it_in_the_same_turn",
    ),
    plans(
        "words too long for their column are not cut",
        '"suppressed_why": why[:300]}',
        '"suppressed_why": why}',
        f"{PLANS}::test_a_long_reason_fits_its_column",
    ),
    switching(
        "a suppression may have ended before it begins",
        "    if until is not None and until <= at:\n",
        "    if False:\n",
        "test_a_suppression_that_has_ended_already_is_refused",
    ),
]
ROLLBACK = [
    plans(
        "there is always something to undo",
        "    if undone is None or undone.from_version is None:\n",
        "    if undone is None:\n",
        "test_rolling_back_again_goes_one_change_further_back",
    ),
    plans(
        "a movie that was never switched has something to undo",
        "    if undone is None or undone.from_version is None:\n",
        "    if undone.from_version is None:\n",
        f"{PLANS}::test_a_movie_that_was_never_switched_has_nothing_to_roll_back",
    ),
    plans(
        "a stream past its grace period is returned to",
        " or version.retired_at + grace < seen.at:",
        ":",
        "test_past_its_grace_a_stream_is_not_returned_to",
    ),
    plans(
        "a stream is not returned to at the end of its grace period",
        "version.retired_at + grace < seen.at:",
        "version.retired_at + grace <= seen.at:",
        "test_past_its_grace_a_stream_is_not_returned_to",
    ),
    plans(
        "a stream that was pruned is returned to",
        "if version is None or version.retired_at is None",
        "if version.retired_at is None",
        f"{PLANS}::test_a_stream_that_was_pruned_is_past_its_grace",
    ),
    plans(
        "a rollback leads to what cannot be played",
        "    refuse_unplayable(seen, version)\n    return RollbackTarget",
        "    return RollbackTarget",
        "test_a_broken_stream_is_neither_returned_to_nor_activated",
    ),
    plans(
        "a rollback suppresses nothing",
        "extra = {} if suppress == Suppression.NONE else",
        "extra = {} if True else",
        "test_a_rollback_returns_suppresses_and_is_not_undone_by_the_next_decision",
    ),
    plans(
        "a rollback suppresses whatever it was told",
        "extra = {} if suppress == Suppression.NONE else",
        "extra =",
        "test_a_rollback_without_suppression_is_only_as_good_as_the_next_decision",
    ),
    plans(
        "a rollback suppresses for ever whatever it was told",
        "else _suppressed(seen.at, until, why)\n    plan",
        "else _suppressed(seen.at, None, why)\n    plan",
        "test_a_suppression_with_an_end_ends",
    ),
    plans(
        "a rollback does not say what it undid",
        "return replace(plan, undoes=target.undoes.seq)",
        "return plan",
        "test_a_rollback_returns_suppresses_and_is_not_undone_by_the_next_decision",
    ),
    plans(
        "a rollback does not pin",
        "left_extra=extra, pinned=pin)\n    return replace(plan, undoes",
        "left_extra=extra, pinned=False)\n    return replace(plan, undoes",
        f"{PLANS}::test_a_rollback_may_pin",
    ),
    switching(
        "for a rollback nothing is suppressed by default",
        "suppress: str = Suppression.FOREVER,",
        "suppress: str = Suppression.NONE,",
        "test_a_rollback_returns_suppresses_and_is_not_undone_by_the_next_decision",
    ),
    switching(
        "until without its kind is taken",
        "if (kind is Suppression.UNTIL) != (until is not None) or",
        "if",
        "test_a_suppression_that_makes_no_sense_is_refused",
    ),
    switching(
        "a rollback may suppress until a moment that is over",
        " or (until is not None and until <= at):",
        ":",
        "test_a_suppression_that_makes_no_sense_is_refused",
    ),
]
CANARY = [
    plans(
        "a failed canary is suppressed for ever",
        'until, "It failed the probe that follows a switch.")',
        'None, "It failed the probe that follows a switch.")',
        "test_a_failed_canary_is_suppressed_for_an_hour_then_two",
    ),
    plans(
        "a failed canary is suppressed for a day",
        "CANARY_SUPPRESSION = timedelta(hours=1)",
        "CANARY_SUPPRESSION = timedelta(days=1)",
        "test_a_failed_canary_is_suppressed_for_an_hour_then_two",
    ),
    plans(
        "the suppression of a failed canary does not double",
        "* 2 ** min(version.canary_failures, 16)",
        "",
        "test_a_failed_canary_is_suppressed_for_an_hour_then_two",
    ),
    plans(
        "the suppression of a failed canary doubles without end",
        "min(version.canary_failures, 16)",
        "version.canary_failures",
        f"{PLANS}::test_a_canary_that_fails_for_years_has_an_end_that_a_date_can_say",
    ),
    plans(
        "failed canaries are not counted",
        '{**columns, "canary_failures": version.canary_failures + 1}',
        "columns",
        "test_a_failed_canary_is_suppressed_for_an_hour_then_two",
    ),
    plans(
        "a canary fails although the stream was left",
        "    if seen.active is not version:\n        return None\n    until",
        "    until",
        f"{PLANS}::test_a_stream_that_was_left_fails_no_canary",
    ),
    switching(
        "a canary passed leaves the stream on trial",
        ".update(on_trial=False, canary_failures=0)",
        ".update(canary_failures=0)",
        "test_a_failed_canary_is_suppressed_for_an_hour_then_two",
    ),
    switching(
        "a canary passed forgives nothing",
        ".update(on_trial=False, canary_failures=0)",
        ".update(on_trial=False)",
        "tests/streaming/test_verification.py::test_a_stream_on_trial_that_plays_is_on_trial_no_more",
    ),
    switching(
        "a probe of a stream on no trial forgives it",
        "filter(pk=version_id, on_trial=True).update",
        "filter(pk=version_id).update",
        f"{PLANS}::test_what_is_on_no_trial_passes_none",
    ),
]
OBSERVING = [
    plans(
        "a licence that loses our territory keeps its stream up",
        "    if seen.excludes(changed) and not seen.excludes(version):\n",
        "    if False:\n",
        "tests/ingestion/test_matching.py::test_a_licence_that_loses_our_territory_takes_its_stream_down",
    ),
    plans(
        "a territory that is set later takes streams down with the next word on their rights",
        "seen.excludes(changed) and not seen.excludes(version)",
        "seen.excludes(changed)",
        "tests/ingestion/test_matching.py::test_a_territory_that_is_set_later_takes_nothing_down",
    ),
    plans(
        "what the public sees changes without a turn",
        "    if seen.active is not version or body_of(changed) == seen.announced:\n",
        "    if True:\n",
        "test_what_the_public_sees_of_the_active_stream_changes_by_a_turn",
    ),
    plans(
        "what the public does not see makes a turn",
        "body_of(changed) == seen.announced:",
        "not columns and body_of(version) == seen.announced:",
        "test_what_the_public_does_not_see_changes_without_a_turn",
    ),
    plans(
        "what happens to a spare version makes a turn",
        "    if seen.active is not version or body_of",
        "    if body_of",
        "test_what_the_public_does_not_see_changes_without_a_turn",
    ),
    standing(
        "what would be is written to what is",
        "    changed = copy.copy(version)\n",
        "    changed = version\n",
        "test_what_would_be_changes_nothing_that_is",
    ),
    events(
        "a moment is compared more finely than the log keeps it",
        ".replace(microsecond=moment.microsecond // 1000 * 1000)",
        "",
        "test_a_moment_finer_than_the_log_keeps_is_announced_once",
    ),
]
RULES = [
    standing(
        f"{what} means nothing",
        text,
        replacement,
        f"test_each_setting_reaches_the_policy[{what}]",
    )
    for what, text, replacement in [
        (
            "a movie's own target",
            "_quality(target) or Quality.from_label(options.target_quality)",
            "Quality.from_label(options.target_quality)",
        ),
        ("TARGET_QUALITY", "Quality.from_label(options.target_quality)", "Quality.P2160"),
        (
            "MIN_QUALITY_TO_PUBLISH",
            "Quality.from_label(options.min_quality_to_publish)",
            "Quality.P720",
        ),
        (
            "ALLOW_LOWER_QUALITY_UNTIL_UPGRADE",
            "options.allow_lower_quality_until_upgrade",
            "True",
        ),
        ("TERRITORY", "territory=options.territory,", 'territory="",'),
        ("a pin", "pinned=pinned,", "pinned=False,"),
    ]
]
FACTS = [
    standing(
        f"the policy is not told: {what}", text, replacement, f"test_each_fact_reaches_the_policy[{what}]"
    )
    for what, text, replacement in [
        ("claimed", "_quality(version.claimed_quality)", "None"),
        ("verified", "_quality(version.verified_quality)", "None"),
        ("measurable", "measurable=version.measurable", "measurable=True"),
        ("health", "health=Health(version.state)", "health=Health.HEALTHY"),
        ("suppressed", "suppressed=version.suppressed_at is not None", "suppressed=False"),
        ("suppressed_until", "suppressed_until=version.suppressed_until", "suppressed_until=None"),
        ("rights_from", "rights_from=version.rights_from", "rights_from=None"),
        ("rights_until", "rights_until=version.rights_until", "rights_until=None"),
        ("territories", "territories=tuple(version.territories)", "territories=()"),
        ("url_expires_at", "url_expires_at=version.url_expires_at", "url_expires_at=None"),
        ("expired", "expired=version.expired_at is not None", "expired=False"),
        ("provider_enabled", "provider_enabled=provider.enabled", "provider_enabled=True"),
        (
            "provider_down",
            "provider_down=version.last_outcome == ProbeOutcome.PROVIDER_DOWN",
            "provider_down=False",
        ),
        ("unproven", "unproven=version.last_outcome in UNPROVEN", "unproven=False"),
        ("trust_claims", "trust_claims=provider.trust_claims", "trust_claims=False"),
        ("reliability", "reliability=provider.reliability", "reliability=1.0"),
        ("priority", "priority=provider.priority", "priority=100"),
        ("first_seen", "first_seen=version.first_seen", "first_seen=version.last_seen"),
    ]
]
MUTANTS = [*DECIDING, *MOVING, *EDITORS, *ROLLBACK, *CANARY, *OBSERVING, *RULES, *FACTS]
