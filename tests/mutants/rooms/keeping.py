"""Compare-and-swap of slots and runs, and what pruning has to keep."""

from __future__ import annotations

from tests.mutants.mutant import mutants_of

PRUNE = "tests/ingestion/test_prune.py"
prune = mutants_of("ingestion/prune.py", tests="tests/ingestion/test_keeping.py")
offers = mutants_of("ingestion/offers.py", tests="tests/ingestion/test_matching.py")
slots = mutants_of("ingestion/slots.py", tests="tests/ingestion/test_slots.py")
RUNS_TESTS = "tests/ingestion/test_runs.py"
ENDS = "tests/ingestion/test_run_ends.py"
runs = mutants_of("ingestion/runs.py", tests=RUNS_TESTS)
lost = mutants_of("ingestion/lost.py", tests=RUNS_TESTS)
ending = mutants_of("ingestion/ending.py", tests=RUNS_TESTS)

PRUNING = [
    prune(
        "a version is deleted without having been marked for a cycle",
        "marked = StreamVersion.objects.filter(expired_at__lt=before)",
        "marked = StreamVersion.objects.filter(expired_at__lte=before)",
        "test_what_was_marked_this_moment_is_not_deleted",
    ),
    prune(
        "the mark is not tested again",
        "sum(free.filter(pk=key)._raw_delete",
        "sum(StreamVersion.objects.filter(pk=key)._raw_delete",
        f"{PRUNE}::test_a_mark_that_is_cleared_at_the_last_moment_saves_the_version_too",
    ),
    prune(
        "a version suppressed at the last moment is deleted",
        "free = marked.filter(suppressed_at__isnull=True)",
        "free = marked",
        "test_a_version_that_is_suppressed_at_the_last_moment_is_kept",
    ),
    prune(
        "a suppressed version is marked",
        "versions.filter(suppressed_at__isnull=True).values_list(",
        "versions.values_list(",
        f"{PRUNE}::test_what_is_kept[suppressed]",
    ),
    prune(
        "an active version is deleted",
        "if not movies[movie_id].pinned and movies[movie_id].active_stream_id != key:",
        "if not movies[movie_id].pinned:",
        f"{PRUNE}::test_an_active_version_is_never_deleted_even_if_marked",
        f"{PRUNE}::test_an_active_version_is_kept_and_so_is_every_version_of_a_pinned_movie",
    ),
    prune(
        "a version of a pinned movie is deleted",
        "if not movies[movie_id].pinned and movies[movie_id].active_stream_id != key:",
        "if movies[movie_id].active_stream_id != key:",
        f"{PRUNE}::test_an_active_version_is_kept_and_so_is_every_version_of_a_pinned_movie",
        "test_a_marked_version_of_a_movie_that_was_pinned_since_is_kept",
    ),
    prune(
        "a version in its grace period is marked",
        "retired = Q(retired_at__isnull=True) | Q(retired_at__lt=before)",
        "retired = Q()",
        f"{PRUNE}::test_what_is_kept[still in its grace period]",
    ),
    prune(
        "a version listed until lately is marked",
        "retired, missing_since__lt=before, expired_at__isnull=True, provider__in=asked",
        "retired, missing_since__isnull=False, expired_at__isnull=True, provider__in=asked",
        f"{PRUNE}::test_what_is_kept[listed until lately]",
    ),
    prune(
        "what a switched-off provider does not list is marked",
        "expired_at__isnull=True, provider__in=asked",
        "expired_at__isnull=True",
        f"{PRUNE}::test_what_a_switched_off_provider_does_not_list_is_kept_until_it_can_be_asked_again",
    ),
    prune(
        "a version that is listed is marked",
        "retired, missing_since__lt=before, expired_at__isnull=True, provider__in=asked",
        "retired, last_seen__lt=before, expired_at__isnull=True, provider__in=asked",
        f"{PRUNE}::test_what_is_kept[listed, long ago]",
    ),
    prune(
        "what is left of old logs is dropped at once",
        "and dropped < ROWS:",
        "and dropped >= 0:",
        f"{PRUNE}::test_what_is_left_goes_next_time_and_in_batches",
    ),
    prune(
        "a mark is set again, so that its cycle never ends",
        "retired, missing_since__lt=before, expired_at__isnull=True, provider__in=asked",
        "retired, missing_since__lt=before, provider__in=asked",
        "test_a_mark_is_set_once",
    ),
]
MISSING = [
    offers(
        "what a partial answer leaves out is missing",
        "if v.pk not in offers and v.provider_id in complete]",
        "if v.pk not in offers]",
        "test_a_malformed_row_proves_nothing_about_what_is_not_listed",
    ),
    offers(
        "what is listed again stays missing",
        "seen.update(last_seen=at, missing_since=None, expired_at=None)",
        "seen.update(last_seen=at, expired_at=None)",
        "test_what_is_no_longer_listed_is_probed_but_not_believed_gone",
    ),
]
SLOTS = [
    slots(
        "a slot is taken from who holds it",
        "free = Slot.objects.filter(key=key, run_id__isnull=True)",
        "free = Slot.objects.filter(key=key)",
        "test_a_slot_is_taken_once",
    ),
    slots(
        "a slot that was lost is held for longer",
        "Slot.objects.filter(key=key, run_id=run_id).update(lease_until=until)",
        "Slot.objects.filter(key=key).update(lease_until=until)",
        "test_a_lost_slot_can_neither_be_held_nor_asked_for_nor_passed_on_nor_freed[extend]",
    ),
    slots(
        "one more run is asked for of a slot that is free",
        "Slot.objects.filter(key=key, run_id=run_id).update(again=True)",
        "Slot.objects.filter(key=key).update(again=True)",
        "test_a_lost_slot_can_neither_be_held_nor_asked_for_nor_passed_on_nor_freed[ask_again]",
    ),
    slots(
        "a slot that was lost is handed over",
        "mine = Slot.objects.filter(key=key, run_id=run_id)\n    return mine.update(run_id=to",
        "mine = Slot.objects.filter(key=key)\n    return mine.update(run_id=to",
        "test_a_lost_slot_can_neither_be_held_nor_asked_for_nor_passed_on_nor_freed[hand_over]",
    ),
    slots(
        "a slot that was lost is freed",
        "mine = Slot.objects.filter(key=key, run_id=run_id, again=False)",
        "mine = Slot.objects.filter(key=key, again=False)",
        "test_a_lost_slot_can_neither_be_held_nor_asked_for_nor_passed_on_nor_freed[release]",
    ),
    slots(
        "a slot is freed although one more run was asked for",
        "mine = Slot.objects.filter(key=key, run_id=run_id, again=False)",
        "mine = Slot.objects.filter(key=key, run_id=run_id)",
        "test_a_slot_of_which_one_more_run_was_asked_is_not_freed",
    ),
    slots(
        "what was asked of one run is asked of the next",
        "run_id=to, lease_until=until, again=False)",
        "run_id=to, lease_until=until)",
        "test_the_next_run_is_all_that_anybody_asked_for",
    ),
    slots(
        "two ticks publish the same run",
        "filter(pk=slot.pk, run_id=slot.run_id, lease_until=slot.lease_until)",
        "filter(pk=slot.pk, run_id=slot.run_id)",
        "test_of_two_ticks_one_publishes_a_run_again",
    ),
]
RUNS = [
    lost(
        "a run is lost although its worker came back",
        "if not slots.take_over(slot, until=at):",
        "if slots.take_over(slot, until=at) is None:",
        "test_a_run_whose_worker_came_back_before_it_was_looked_at_is_not_lost",
    ),
    runs(
        "a sweep has a retry begin before its time",
        'if requested_by or trigger == "schedule":\n'
        "                _sooner(active, at, by_hand=bool(requested_by))",
        "_sooner(active, at, by_hand=True)",
        "test_a_retry_that_waits_begins_when_a_person_asks_and_not_when_a_sweep_does",
    ),
    runs(
        "a run that is over, or under way, is started",
        "queued = IngestRun.objects.filter(pk=run_id, status=Status.QUEUED)",
        "queued = IngestRun.objects.filter(pk=run_id)",
        "test_a_cancelled_run_in_the_queue_never_starts",
    ),
    ending(
        "a run that is over is closed again",
        "IngestRun.objects.filter(pk=run.pk, status__in=list(among))",
        "IngestRun.objects.filter(pk=run.pk)",
        "test_cancelling_what_is_over_changes_nothing",
        "test_a_cancelled_run_that_fails_on_its_way_out_is_not_retried",
    ),
]
ENDINGS = [
    lost(
        "a run that hangs is taken for lost, and hangs again",
        "slot.lease_until >= ending.deadline_of(run)",
        "slot.lease_until > ending.deadline_of(run)",
        f"{ENDS}::test_one_that_hangs_with_its_heart_beating_is_closed_and_its_slot_is_free",
    ),
    slots(
        "a heart that beats holds a slot past the deadline",
        "until=min(self._clock() + RUNNING_LEASE, self.deadline)",
        "until=self._clock() + RUNNING_LEASE",
        f"{ENDS}::test_one_that_hangs_with_its_heart_beating_is_closed_and_its_slot_is_free",
    ),
    lost(
        "a slot that the sweep stumbles over comes first every minute",
        "slots.extend(slot.pk, slot.run_id, until=at + PUT_OFF)",
        "pass",
        "tests/ingestion/test_maintenance.py::"
        "test_a_slot_that_the_sweep_stumbles_over_holds_up_no_other_and_is_left_alone_for_a_while",
    ),
    lost(
        "what dies with a poisonous run dies with it at every retry",
        "return timedelta(0) if run.attempts <= 1 else ending.pause_before_retry(run)",
        "return timedelta(0)",
        f"{ENDS}::test_those_that_die_with_a_poisonous_one_come_apart_from_it",
    ),
    ending(
        "a movie that kills its workers is tried for ever",
        "return attempts > conf.current().max_retry_attempts",
        "return attempts > 99",
        "test_a_run_that_is_lost_again_and_again_is_given_up",
    ),
    ending(
        "what follows a run is for no cause",
        "        correlation_id=run.correlation_id,\n",
        "",
        f"{ENDS}::test_what_follows_a_run_is_for_the_same_cause_whoever_passes_the_slot_on",
    ),
]
MUTANTS = [*PRUNING, *MISSING, *SLOTS, *RUNS, *ENDINGS]
