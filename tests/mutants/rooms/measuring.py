"""What a probe makes of a stream, what is probed before a switch, and what rung a picture is."""

from __future__ import annotations

from tests.mutants.mutant import mutants_of

TESTS = "tests/streaming/test_verification.py"
STATES = f"{TESTS}::test_outcome_by_state"
MATCHING = "tests/ingestion/test_matching.py"
SIZES = "tests/streaming/test_quality.py::test_pixels_give_the_higher_rung_of_width_and_height"
verification = mutants_of("streaming/verification.py", tests=TESTS)
checking = mutants_of("ingestion/checking.py", tests=MATCHING)
plans = mutants_of("streaming/plans.py", tests=MATCHING)
quality = mutants_of("streaming/quality.py")
types = mutants_of("providers/types.py")

STRIKES = [
    verification(
        "one strike breaks a stream",
        "STRIKES_TO_BREAK = 2",
        "STRIKES_TO_BREAK = 1",
        "test_two_strikes_minutes_apart_break_it_and_ten_at_once_do_not",
    ),
    verification(
        "a stream never breaks",
        "STRIKES_TO_BREAK = 2",
        "STRIKES_TO_BREAK = 3",
        "test_two_strikes_minutes_apart_break_it_and_ten_at_once_do_not",
    ),
    verification(
        "strikes of the same moment count",
        "    if version.state == State.SUSPECT and version.next_check_at is not None"
        " and at < version.next_check_at:\n        return {}\n",
        "",
        "test_two_strikes_minutes_apart_break_it_and_ten_at_once_do_not",
    ),
    verification(
        "the second strike is hours away",
        "SECOND_STRIKE_AFTER = timedelta(minutes=2)",
        "SECOND_STRIKE_AFTER = timedelta(hours=2)",
        "test_outcome_by_state",
    ),
    verification(
        "what is broken can become suspect again by failing",
        " or version.state == State.BROKEN:",
        ":",
        "test_outcome_by_state",
    ),
    verification(
        "an outage strikes",
        "    if result.outcome in STRIKES:\n        return seen | _struck(version, at)\n"
        '    return seen | {"next_check_at": _after_outage(version, at)}',
        "    return seen | _struck(version, at)",
        "test_an_outage_changes_nothing_that_anyone_sees",
    ),
    verification(
        "a stream that plays keeps its strikes",
        "_settled(version, State.HEALTHY, 0, routine_check(version.pk, at))",
        "_settled(version, State.HEALTHY, version.strikes, routine_check(version.pk, at))",
        "test_outcome_by_state",
    ),
    verification(
        "a stream that plays stays what it was",
        "_settled(version, State.HEALTHY, 0, routine_check(version.pk, at))",
        "_settled(version, State(version.state), 0, routine_check(version.pk, at))",
        "test_outcome_by_state",
    ),
    verification(
        "a stream that plays is not measured",
        "return seen | _measured(version, result) | settled",
        "return seen | settled",
        "test_what_plays_is_what_was_measured",
    ),
    verification(
        "an embed's page is taken for its picture",
        "Quality.from_size(result.width, result.height) if version.measurable else None",
        "Quality.from_size(result.width, result.height)",
        "test_what_a_probe_sees_of_an_embed_is_not_its_picture",
    ),
    verification(
        "streams that were probed together are due together for ever",
        "JITTER = 0.1",
        "JITTER = 0.0",
        "test_streams_that_were_probed_together_come_due_apart",
    ),
    verification(
        "an outage has a stream asked every minute",
        "AFTER_OUTAGE = timedelta(minutes=15)",
        "AFTER_OUTAGE = timedelta(minutes=1)",
        "test_outcome_by_state",
    ),
    verification(
        "an outage puts off a check that is due sooner",
        "return due if due is not None and at < due < at + AFTER_OUTAGE else at + AFTER_OUTAGE",
        "return at + AFTER_OUTAGE",
        "test_outcome_by_state",
    ),
    verification(
        "an outage puts off no check that is due",
        "and at < due < at + AFTER_OUTAGE else",
        "and due < at + AFTER_OUTAGE else",
        "test_outcome_by_state",
    ),
    *(
        types(
            f"{outcome.lower()} is no strike",
            text,
            replacement,
            STATES,
        )
        for outcome, text, replacement in [
            ("DEAD", "STRIKES = frozenset({ProbeOutcome.DEAD, ", "STRIKES = frozenset({"),
            ("FORBIDDEN", "ProbeOutcome.DEAD, ProbeOutcome.FORBIDDEN, ", "ProbeOutcome.DEAD, "),
            ("UNEMBEDDABLE", ", ProbeOutcome.UNEMBEDDABLE})", "})"),
        ]
    ),
]
TRIALS = [
    verification(
        "playing does not end a trial",
        "    if passed:\n        switching.pass_canary(version_id)\n",
        "",
        "test_a_stream_on_trial_that_plays_is_on_trial_no_more",
    ),
    verification(
        "whatever a probe says ends a trial",
        "result.outcome is ProbeOutcome.OK\n    if passed and",
        "True\n    if passed and",
        "test_a_trial_is_passed_by_playing_alone",
    ),
    verification(
        "a probe from before the switch ends a trial",
        "    if passed and _trial_is_ahead(before, at):\n",
        "    if False:\n",
        "test_a_probe_from_before_the_switch_ends_no_trial",
        "test_a_stream_that_moves_while_on_trial_stays_on_trial",
    ),
    verification(
        "a strike before a trial is due does not put the next look off",
        "    if passed and _trial_is_ahead(before, at):\n",
        "    if _trial_is_ahead(before, at):\n",
        "test_a_strike_before_its_trial_is_due_has_its_second_chance_minutes_later",
    ),
    verification(
        "a probe from before the switch puts its trial off",
        'columns["next_check_at"], passed = before.next_check_at, False',
        "passed = False",
        "test_a_probe_from_before_the_switch_ends_no_trial",
    ),
    verification(
        "a new address is probed and forgotten",
        "{**address, **columns_after(before, result, at)}",
        "columns_after(before, result, at)",
        "test_a_stream_that_moves_while_on_trial_stays_on_trial",
    ),
    verification(
        "a complaint hurries a trial",
        'settled = {"state": State.HEALTHY, "on_trial": False}',
        'settled = {"state": State.HEALTHY}',
        "test_a_complaint_does_not_hurry_a_trial",
    ),
    verification(
        "a complaint hurries the second strike",
        'settled = {"state": State.HEALTHY, "on_trial": False}',
        'settled = {"on_trial": False}',
        "test_a_complaint_does_not_hurry_a_second_strike_that_an_outage_put_off",
    ),
    verification(
        "complaints have a provider asked again and again",
        "healthy.exclude(probed_at__gt=at - JUST_PROBED).update",
        "healthy.update",
        "test_complaints_do_not_have_a_provider_asked_again_and_again",
    ),
    checking(
        "a stream that fails on trial is not left at once",
        "    if verdict.struck and verdict.version.on_trial:\n",
        "    if False:\n",
        "test_a_stream_that_fails_right_after_the_switch_is_left_at_once",
    ),
    checking(
        "a stream on no trial is left at its first strike",
        "    if verdict.struck and verdict.version.on_trial:\n",
        "    if verdict.struck:\n",
        "test_a_broken_active_stream_fails_over_after_two_strikes",
    ),
    checking(
        "nothing is probed before it is switched to",
        "        if stale is None:\n            break\n",
        "        break\n",
        "test_a_failover_does_not_lead_to_a_stream_that_died_meanwhile",
    ),
    checking(
        "a probe of long ago is good enough to switch",
        "FRESH = timedelta(minutes=10)",
        "FRESH = timedelta(days=10)",
        "test_a_failover_does_not_lead_to_a_stream_that_died_meanwhile",
    ),
    plans(
        "a movie that lost its stream waits for its turn",
        "(_searched_anew(seen.at) if plan.reason in _LOSSES else {})",
        "{}",
        "test_a_movie_that_loses_its_stream_on_trial_is_searched_for_at_once",
        "tests/streaming/test_plans.py::test_a_movie_that_loses_its_stream_is_searched_for_as_if_it_were_new",
    ),
]
SIZE = [
    quality(
        "the lower rung of width and height",
        "return max(_rung(width, _WIDTHS), _rung(height, _HEIGHTS))",
        "return min(_rung(width, _WIDTHS), _rung(height, _HEIGHTS))",
        SIZES,
    ),
    quality(
        "height alone",
        "return max(_rung(width, _WIDTHS), _rung(height, _HEIGHTS))",
        "return _rung(height, _HEIGHTS)",
        SIZES,
    ),
    quality(
        "a rung asks for every pixel",
        "if pixels * 100 >= full * 95)",
        "if pixels >= full)",
        SIZES,
    ),
    quality(
        "a picture without a size has a rung",
        "        if width <= 0 or height <= 0:\n            return None\n",
        "",
        "tests/streaming/test_quality.py::test_no_picture_has_no_rung",
    ),
]
MUTANTS = [*STRIKES, *TRIALS, *SIZE]
