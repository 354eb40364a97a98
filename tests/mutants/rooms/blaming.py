"""Whether a provider fails or its streams do, and who may ask a provider once its pause is over."""

from __future__ import annotations

from tests.mutants.mutant import mutants_of

TESTS = "tests/ingestion/test_blame.py"
blame = mutants_of("ingestion/blame.py", tests=TESTS)
checking = mutants_of("ingestion/checking.py", tests=TESTS)
matching = mutants_of("ingestion/matching.py", tests=TESTS)
reverify = mutants_of("ingestion/reverify.py", tests=TESTS)
verification = mutants_of("streaming/verification.py", tests=TESTS)
health = mutants_of("providers/health.py", tests="tests/providers/test_health_laws.py")

BLAME = [
    blame(
        "nine probes are enough to blame a provider",
        "PROBES_TO_BLAME = 10",
        "PROBES_TO_BLAME = 9",
        "test_it_takes_ten_probes_and_more_than_the_share",
    ),
    blame(
        "just the share is more than the share",
        "self.failed > share * self.probes",
        "self.failed >= share * self.probes",
        "test_it_takes_ten_probes_and_more_than_the_share",
    ),
    blame(
        "suspects that fail again are an outage",
        "if version.state == State.HEALTHY and result.outcome not in UNPROVEN:",
        "if result.outcome not in UNPROVEN:",
        "test_ten_streams_that_are_dead_for_good_are_no_outage_for_being_suspects_together",
    ),
    blame(
        "a probe that could not tell is a failure",
        "if version.state == State.HEALTHY and result.outcome not in UNPROVEN:",
        "if version.state == State.HEALTHY:",
        "test_probes_that_could_not_tell_and_streams_under_suspicion_are_not_counted",
    ),
    blame(
        "nobody is ever acquitted",
        "        elif blamed and not sample.is_ill(share):\n            _lift(report, sample)\n",
        "",
        "test_a_provider_that_is_well_again_is_blamed_no_longer_and_what_is_dead_is_struck",
    ),
    blame(
        "one stream that plays acquits a provider",
        "(sample.is_ill(share) or health.is_blamed(sample.provider.pk))",
        "sample.is_ill(share)",
        "test_one_stream_that_plays_does_not_acquit_a_provider",
    ),
    blame(
        "streams that come due one by one are given up one by one",
        "(sample.is_ill(share) or health.is_blamed(sample.provider.pk))",
        "health.is_blamed(sample.provider.pk)",
        "test_an_outage_is_noticed_at_the_first_stream_that_fails_though_few_are_due",
    ),
    verification(
        "who believes it gives up streams at which an outage was met",
        "        evidence__startswith=HELD,\n",
        "",
        "test_an_operator_who_believes_it_has_the_failures_counted_and_each_confirmed",
    ),
    checking(
        "what a blamed provider's streams do counts against them",
        "if result.outcome not in STRIKES or not health.is_blamed(version.provider_id):",
        "if True:",
        "test_an_outage_that_looks_like_dead_streams_is_the_providers",
        "test_while_it_is_blamed_nothing_counts_against_its_streams",
    ),
    reverify(
        "strikes are written before the run has judged",
        "_conclude(report, (p for p in results if p.result.outcome not in STRIKES))",
        "_conclude(report, results)",
        "test_what_failed_before_the_tenth_probe_is_not_struck_either",
    ),
    reverify(
        "what a run holds back, a tick takes for a sample of its own",
        "        _hold(report, (p.version for p in results if p.result.outcome in STRIKES))\n",
        "",
        "test_nothing_is_lost_when_the_run_dies_before_it_has_judged",
    ),
    reverify(
        "what was held back is forgotten",
        "return switches + _conclude(report, (p for p in probed if p.result.outcome in STRIKES))",
        "return switches",
        "test_what_failed_before_a_run_of_good_probes_is_struck_after_all",
    ),
    matching(
        "a search strikes what it finds failing, an outage or not",
        "if probed.version.state == State.HEALTHY and probed.result.outcome in STRIKES:",
        "if False:",
        "test_an_outage_that_searches_meet_first_is_the_providers_too",
    ),
]
HALF_OPEN = [
    health(
        "all ask at once when a pause is over",
        "    return won\n",
        "    return True\n",
        "test_of_all_who_read_the_same_row_one_may_ask",
        "test_of_many_processes_exactly_one_asks",
    ),
    health(
        "one that asks twice takes the turn of another",
        "Provider.objects.filter(pk=provider.pk, **as_read).update(trial_until=trial_until)",
        "Provider.objects.filter(pk=provider.pk).update(trial_until=trial_until)",
        "test_of_many_processes_exactly_one_asks",
    ),
    health(
        "who asks and dies is waited for for ever",
        "    return max(provider.backoff_until or at, provider.trial_until or at, at)\n",
        "    return max(provider.backoff_until or at, provider.trial_until and at + TRIAL or at)\n",
        "test_an_asker_that_died_is_waited_for_a_while_and_then_the_next_one_goes",
    ),
    health(
        "one that learnt nothing keeps its turn",
        '    return {"trial_until": provider.trial_until if _overtaken(provider, asked_at) else None}\n',
        '    return {"trial_until": provider.trial_until}\n',
        "test_one_that_learnt_nothing_lets_the_next_one_go_ahead",
    ),
    health(
        "an answer to a question of before ends the wait for this one",
        "if not _overtaken(provider, asked_at):",
        "if True:",
        "test_what_was_under_way_when_a_back_off_began_never_ends_or_shortens_it",
    ),
]
MUTANTS = [*BLAME, *HALF_OPEN]
