"""Jobs, their settings and their schedule: what is queued and when, and who hears that it is not."""

from __future__ import annotations

from tests.mutants.mutant import mutants_of

T = "tests/ingestion"
RUNS, ENDS, WORKER = f"{T}/test_runs.py", f"{T}/test_run_ends.py", f"{T}/test_worker.py"
discovery = mutants_of("ingestion/discovery.py", tests=f"{T}/test_discovery.py")
feed = mutants_of("ingestion/feed.py", tests=f"{T}/test_feed.py")
matching = mutants_of("ingestion/matching.py", tests=f"{T}/test_availability.py")
searching = mutants_of("ingestion/searching.py", tests=f"{T}/test_searching.py")
refresh = mutants_of("ingestion/refresh.py", tests=f"{T}/test_refresh.py")
reverify = mutants_of("ingestion/reverify.py", tests=f"{T}/test_reverify.py")
risk = mutants_of("ingestion/risk.py", tests=f"{T}/test_risk.py")
runs = mutants_of("ingestion/runs.py", tests=RUNS)
lost = mutants_of("ingestion/lost.py", tests=RUNS)
ending = mutants_of("ingestion/ending.py", tests=RUNS)
attempts = mutants_of("ingestion/attempts.py", tests=RUNS)
reports = mutants_of("ingestion/reports.py", tests=RUNS)
beat = mutants_of("ingestion/beat.py", tests=f"{T}/test_beat.py")
windows = mutants_of("ingestion/windows.py", tests=f"{T}/test_windows.py")
schedule = mutants_of("ingestion/schedule.py", tests=f"{T}/test_schedule.py")
timetable = mutants_of("ingestion/timetable.py", tests=f"{T}/test_beat.py")
maintenance = mutants_of("ingestion/maintenance.py", tests=f"{T}/test_maintenance.py")
backlog = mutants_of("ingestion/backlog.py", tests=f"{T}/test_backlog.py")
apps = mutants_of("ingestion/apps.py", tests=f"{T}/test_status.py")
metrics = mutants_of("ingestion/metrics.py", tests=f"{T}/test_metrics.py")
overview = mutants_of("ingestion/admin/overview.py", tests=f"{T}/test_admin_schedule.py")
applying = mutants_of("ingestion/applying.py", tests=f"{T}/test_applying.py")
rehearsed = mutants_of("ingestion/api/settings.py", tests=f"{T}/test_settings.py")
conf = mutants_of("core/conf.py", tests="tests/core/test_conf.py")
history = mutants_of("core/history.py", tests="tests/core/test_history.py")
sessions = mutants_of("providers/sessions.py", tests="tests/providers/test_sessions.py")
settings = mutants_of("config/settings.py", tests=f"{T}/test_tasks.py")
verification = mutants_of("streaming/verification.py", tests="tests/streaming/test_verification.py")

FINDING = [
    discovery(
        "the region of TMDB's lists is forgotten",
        "client.list(kind, number, options.tmdb_region, options.tmdb_language)",
        'client.list(kind, number, "", options.tmdb_language)',
        "test_pages_region_and_language_are_what_the_settings_say",
    ),
    discovery(
        "as many pages as TMDB has are read",
        "for number in range(1, pages + 1):",
        "for number in range(1, 51):",
        "test_pages_region_and_language_are_what_the_settings_say",
    ),
    discovery(
        "every movie that is read again is searched for",
        "again = waits or IDENTITY & set(changed)",
        "again = True",
        "test_a_stale_movie_is_refreshed_and_searched_for_only_if_it_reads_like_another",
    ),
    discovery(
        "an editor's word is overwritten",
        "if name not in movie.locked_fields}\n    changed = {name: value for name, value in free.items()",
        "}\n    changed = {name: value for name, value in free.items()",
        "test_locked_columns_keep_an_editors_word",
    ),
    discovery(
        "one list that fails loses the others",
        "            lists.errors[kind] = error",
        "            raise",
        "test_one_list_that_fails_does_not_lose_the_others",
    ),
    feed(
        "the change feed is read from today on, each time",
        "return date.fromisoformat(told) if told else last.started_at.date()",
        "return at.date()",
        "test_it_goes_on_where_the_last_discovery_that_went_well_stopped",
    ),
    matching(
        "a search does not wait until a movie is out",
        "if not by_hand(report.run) and (out_at := ",
        "if False and (out_at := ",
        "test_a_match_that_nobody_asked_for_leaves_what_is_not_out",
    ),
    matching(
        "a person who asks is told to wait until it is out",
        "if not by_hand(report.run) and (out_at := ",
        "if (out_at := ",
        "test_a_match_that_somebody_asks_for_searches_for_what_is_not_out",
    ),
    matching(
        "a search by hand climbs the ladder",
        "if anew else (movie.refresh_at",
        "if False else (movie.refresh_at",
        f"{T}/test_after_a_search.py::test_a_search_by_hand_starts_the_ladder_anew",
        f"{T}/test_after_a_search.py::"
        "test_an_editor_who_asks_for_a_search_that_waits_already_starts_the_ladder_anew",
    ),
    searching(
        "a search that finds nothing comes back as soon as the one before",
        "climbed = min(fruitless + came.complete, len(LADDER))",
        "climbed = fruitless",
        "test_finding_nothing_better_backs_off",
    ),
    searching(
        "a new rendition does not start the ladder anew",
        "    if came.improved:",
        "    if False:",
        "test_finding_something_better_starts_the_ladder_anew",
        f"{T}/test_after_a_search.py::"
        "test_a_rendition_that_is_new_starts_the_ladder_anew_though_it_is_no_better",
    ),
    refresh(
        "there is no back-pressure",
        "return depth - len(",
        "return 10**6 - len(",
        "test_no_more_are_queued_than_fit_and_the_rest_stays_due",
    ),
    refresh(
        "a movie whose search dies comes first again",
        "as_read.update(**{clock: at + PUT_OFF})",
        "as_read.exists()",
        "test_a_search_is_put_off_so_that_one_bad_movie_cannot_block_the_rest",
    ),
    refresh(
        "a movie that cannot be queued stops the others",
        'with report.contained(f"The search for {movie}", movie_id=movie.pk):',
        "if True:",
        "test_a_movie_that_cannot_be_queued_stops_no_other",
    ),
]
PROBING = [
    reverify(
        "what is at risk waits behind what is longer overdue",
        "risky = _ranked(of_present(_at_risk(found, seen, at, limit)), seen, at)",
        "risky = _ranked(overdue, seen, at)",
        "test_what_is_at_risk_is_found_behind_any_number_that_are_longer_overdue",
    ),
    risk(
        "what is at risk crowds out the longest overdue",
        "FOR_THE_LONGEST_OVERDUE = 1 / 3",
        "FOR_THE_LONGEST_OVERDUE = 0",
        f"{T}/test_reverify.py::test_however_many_are_at_risk_a_third_is_the_longest_overdue",
    ),
    verification(
        "routine probes are not jittered",
        "JITTER = 0.1",
        "JITTER = 0.0",
        "test_streams_that_were_probed_together_come_due_apart",
    ),
    maintenance(
        "a movie that lost its stream in a tick is searched for a minute later",
        '"The sweep of due searches": _search,\n        "The sweep of due checks": _check,',
        '"The sweep of due checks": _check,',
        "test_a_movie_that_has_nothing_left_is_searched_for_in_the_same_tick",
    ),
    maintenance(
        "the tick finds no lost run",
        '"The sweep of lost runs": _recover,',
        "",
        "test_the_tick_finds_a_lost_run",
    ),
    maintenance(
        "the tick finishes no half-made switch",
        '"The sweep of half-made switches": _finish,',
        "",
        "test_the_tick_finishes_a_switch_that_was_left_half_done",
    ),
    maintenance(
        "the tick says nothing of a queue that grows",
        '"The look at the queue": backlog.watch,',
        "",
        "test_the_tick_says_that_the_queue_grows",
    ),
]
RUNNING = [
    runs(
        "a queued run is published before it is a row",
        "    run.save(force_insert=True)\n    if slots.claim",
        "    if slots.claim",
        "test_a_queued_run_is_a_row_before_it_is_published",
    ),
    runs(
        "asking while it runs asks for nothing",
        "or slots.ask_again(key_of(run), active.pk)):",
        "or True):",
        "test_asking_while_it_runs_has_it_followed_by_one_more",
    ),
    runs(
        "the schedule has what runs followed by one more",
        "if active and (not again or ",
        "if active and (",
        "test_the_schedule_does_not_ask_for_one_more",
    ),
    runs(
        "a run that waits stays a sweep's though a person asks",
        'return queued.filter(requested_by="").update(requested_by=name) == 1 or queued.exists()',
        "return queued.exists()",
        "test_a_run_that_waits_is_as_much_a_persons_as_one_that_they_started",
    ),
    runs(
        "who asks for a run that has just begun is not heard",
        "update(requested_by=name) == 1 or queued.exists()",
        "update(requested_by=name) == 1 or True",
        "test_a_run_that_begins_while_a_person_asks_is_followed_by_one_more",
    ),
    runs(
        "cancelling does nothing to a run at work",
        "        ending.close([Status.RUNNING], run, Status.CANCELLED, at=at, error=error)\n    run.refresh",
        "        pass\n    run.refresh",
        "test_a_cancelled_run_stops_at_its_next_step_and_keeps_its_slot_until_then",
    ),
    runs(
        "a queued run that is cancelled keeps its slot",
        "        ending.pass_on(run, at=at)\n    else:  # its worker",
        "        pass\n    else:  # its worker",
        "test_a_cancelled_run_in_the_queue_never_starts",
    ),
    reports(
        "work goes on although its run was cancelled",
        "if self.lease.lost.is_set() or not running.update(progress_done=done, progress_total=total):",
        "if running.update(progress_done=done, progress_total=total) is None:",
        "test_a_cancelled_run_stops_at_its_next_step_and_keeps_its_slot_until_then",
        "test_who_was_taken_for_lost_can_neither_go_on_nor_close",
    ),
    reports(
        "a run has no deadline",
        "if self.now() >= self.lease.deadline:",
        "if False:",
        f"{ENDS}::test_no_run_goes_on_past_its_deadline",
    ),
    lost(
        "a lost run is not retried",
        "owed = lost or run.status in (Status.LOST, Status.FAILED)",
        "owed = False",
        "test_a_run_whose_lease_ran_out_is_lost_and_retried_once",
        f"{WORKER}::test_a_job_survives_the_death_of_its_worker_and_is_finished_once",
    ),
    lost(
        "a lost run stays open",
        "lost = run.status == Status.RUNNING and end(run, Status.LOST, _why_lost(run), at)",
        "lost = run.status == Status.RUNNING",
        "test_a_run_whose_lease_ran_out_is_lost_and_retried_once",
        f"{WORKER}::test_a_job_survives_the_death_of_its_worker_and_is_finished_once",
    ),
    attempts(
        "what does not pass is retried as well",
        'passes = getattr(error, "retryable", False)',
        "passes = True",
        "test_what_will_not_pass_is_not_retried",
    ),
    attempts(
        "what passes is not retried",
        'passes = getattr(error, "retryable", False)',
        "passes = False",
        "test_a_passing_failure_is_retried_later_as_often_as_the_setting_says",
    ),
    attempts(
        "a bug is a failure like any other",
        "    told = bugs.told(bug, report.run, report.lease)\n"
        "    return _failed(IngestLog.Status.ERROR, told.sentence, traceback=told.traceback)",
        "    return _failed(IngestLog.Status.FAILED, str(bug))",
        "test_a_bug_is_closed_with_its_traceback",
    ),
    ending(
        "each retry waits as long as the first",
        "doubled = min(2**run.attempts, LONGEST_DOUBLED)",
        "doubled = 2",
        f"{ENDS}::test_retries_wait_ever_longer_and_as_often_as_the_setting_says",
    ),
    ending(
        "a retry waits for days",
        "doubled = min(2**run.attempts, LONGEST_DOUBLED)",
        "doubled = 2**run.attempts",
        f"{ENDS}::test_no_retry_waits_for_more_than_an_hour_and_a_half",
    ),
    ending(
        "retries are not spread",
        "stretch = 1 + int.from_bytes(drawn) / 2**33",
        "stretch = 1 + 0 * int.from_bytes(drawn)",
        f"{ENDS}::test_what_failed_together_does_not_come_back_together",
    ),
    ending(
        "what follows a run has a cause of its own",
        "correlation_id=run.correlation_id,",
        'correlation_id="",',
        f"{ENDS}::test_what_follows_a_run_is_for_the_same_cause_whoever_passes_the_slot_on",
    ),
    ending(
        "a tick is queued behind the movies",
        "queue = settings.CELERY_TASK_DEFAULT_QUEUE if run.movie_id is None else settings.MOVIES_QUEUE",
        "queue = settings.MOVIES_QUEUE",
        f"{T}/test_queues.py::test_a_tick_is_not_queued_behind_the_movies",
    ),
    settings(
        "a message is forgotten before its work is done",
        "CELERY_TASK_ACKS_LATE = True",
        "CELERY_TASK_ACKS_LATE = False",
        "test_a_message_is_kept_until_its_work_is_done",
    ),
]
FIRING = [
    beat(
        "two beats fire a window twice",
        'trigger="schedule", again=False, run_id=key)',
        'trigger="schedule", again=False)',
        "test_one_that_was_killed_between_run_and_note_leaves_nothing_to_fire",
    ),
    beat(
        "one bad row holds up the others",
        '            logger.exception("The schedule of %s did not fire.", row.name)',
        "            raise",
        "test_one_bad_row_holds_up_no_other",
    ),
    windows(
        "a window that was missed is gone",
        "window if fired_at < window or",
        "window if at - SKEW < window and fired_at < window or",
        "test_of_many_that_were_missed_the_last_is_owed",
        f"{T}/test_beat.py::test_windows_that_were_missed_fire_once_for_all",
    ),
    windows(
        "the dead-man's switch never goes off",
        "return window if window and window > schedule.changed_at else None",
        "return None",
        "test_overdue_is_what_did_not_fire_within_the_slack",
        f"{T}/test_status.py::test_a_schedule_that_did_not_fire_is_overdue_unless_it_is_switched_off",
        f"{T}/test_admin_schedule.py::test_the_list_of_schedules_says_how_each_stands",
    ),
    timetable(
        "what is switched off fires",
        "name__in=list(JOBS), enabled=True, crontab",
        "name__in=list(JOBS), crontab",
        "test_what_is_switched_off_or_no_job_does_not_fire",
        f"{T}/test_schedule.py::test_a_changed_cron_reaches_a_beat_that_runs_and_wakes_nothing_that_is_off",
    ),
    runs(
        "a window counts as fired behind an hour's pause before a retry",
        'if requested_by or trigger == "schedule":',
        "if requested_by:",
        f"{T}/test_beat.py::test_a_window_does_not_wait_behind_a_long_pause_before_a_retry",
    ),
    runs(
        "each window publishes the same retry once more",
        "move = slots.extend if by_hand else slots.hasten",
        "move = slots.extend",
        f"{T}/test_beat.py::test_a_window_does_not_wait_behind_a_long_pause_before_a_retry",
    ),
    schedule(
        "a changed cron switches its job on",
        "row.enabled = row.enabled or row.description == GONE",
        "row.enabled = True",
        "test_what_an_operator_disabled_stays_disabled",
        "test_a_changed_cron_reaches_a_beat_that_runs_and_wakes_nothing_that_is_off",
    ),
    schedule(
        "a changed cron stays where it is",
        "        if spec.cron == setting:",
        "        if False:",
        "test_a_setting_that_changes_moves_its_job_without_being_asked",
        "test_a_changed_cron_reaches_a_beat_that_runs_and_wakes_nothing_that_is_off",
    ),
    apps(
        "readiness says nothing of the schedule",
        'health.warn_of("schedule", _schedule_in_words)',
        "pass",
        "test_whoever_asks_whether_we_are_ready_hears_of_a_schedule_that_stands_still",
    ),
    metrics(
        "no metric tells of a schedule that stands still",
        "late = [((job,), float(job in overdue)) for job in timed.schedules]",
        "late = [((job,), 0.0) for job in timed.schedules]",
        "test_everything_that_an_operator_graphs",
    ),
    overview(
        "the first page says nothing of a schedule that stands still",
        'for job, each in seen["jobs"].items() if each["overdue"]}',
        'for job, each in seen["jobs"].items() if False}',
        "test_one_schedule_that_stands_still_is_named",
        "test_a_beat_that_is_gone_is_one_sentence_and_not_one_for_each_job",
    ),
    overview(
        "the first page says nothing of a queue that grows",
        'elif (queue := seen["queue"])["too_long"]:',
        'elif (queue := seen["queue"]) is None:',
        "test_a_queue_that_grows",
    ),
    backlog(
        "a queue that grows is said to at every tick",
        "if backlog.too_long != _was_too_long():",
        "if backlog.too_long:",
        "test_it_is_said_once_and_once_that_it_is_over",
    ),
]
SETTING = [
    conf(
        "the environment stands above an operator's word",
        "return {**_from_environment(), **said}",
        "return {**said, **_from_environment()}",
        "test_an_operators_word_stands_above_both_until_it_is_taken_back",
    ),
    conf(
        "settings are read once in a process",
        "def current() -> Options:",
        "@__import__('functools').cache\ndef current() -> Options:",
        "test_a_process_that_is_running_sees_a_change",
    ),
    conf(
        "nobody is told of a change",
        "    signals.setting_changed.send(sender=Setting, name=name, by=by, at=at)\n",
        "",
        f"{T}/test_applying.py::test_a_setting_of_the_policy_that_changes_is_applied_by_a_run",
        f"{T}/test_schedule.py::test_a_setting_that_changes_moves_its_job_without_being_asked",
    ),
    history(
        "of operators who race one is left out of the history",
        "as_read = Setting.objects.filter(pk=name, seq=newest.seq)",
        "as_read = Setting.objects.filter(pk=name)",
        "test_of_operators_who_race_none_is_left_out_and_the_last_word_holds",
    ),
    sessions(
        "a session keeps its terms whatever is set",
        "if known is None or known[0] != terms:",
        "if known is None:",
        "test_a_changed_pace_holds_for_the_next_search",
        "test_a_changed_number_of_retries_holds_for_the_next_search",
    ),
    rehearsed(
        "a dry run makes the change",
        "        if not dry_run:",
        "        if True:",
        "test_nothing_is_changed_and_nothing_is_queued",
    ),
    applying(
        "to apply the settings is to enforce them",
        "return _settle_all(report, enforce=False)",
        "return _settle_all(report, enforce=True)",
        "test_what_plays_stays_until_the_settings_are_enforced",
    ),
    applying(
        "a raised target is not searched for",
        'came["searches"] += refresh.resume([seen.movie.pk for seen in batch], at=at)',
        "pass",
        "test_a_raised_target_is_searched_for_again_and_what_is_known_is_taken",
    ),
    applying(
        "a movie that cannot be decided on stops the others",
        'with report.contained(f"The decision on {movie}", movie_id=movie.pk):',
        "if True:",
        "test_a_movie_that_cannot_be_decided_on_stops_no_other",
    ),
]
MUTANTS = [*FINDING, *PROBING, *RUNNING, *FIRING, *SETTING]
