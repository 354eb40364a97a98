"""The five steps of a turn, the conditions on seq, the unique insert, and what a row of the log says."""

from __future__ import annotations

from tests.mutants.mutant import mutants_of

TURNS = "tests/streaming/test_turns.py"
PROTOCOL = "tests/streaming/test_protocol.py"
SWITCHING = "tests/streaming/test_switching.py"
GUARDS = "tests/streaming/test_guards.py"
turns = mutants_of("streaming/turns.py", tests=PROTOCOL)
switching = mutants_of("streaming/switching.py", tests=PROTOCOL)
models = mutants_of("streaming/models.py", tests=PROTOCOL)

STEPS = [
    turns(
        "step 1: the next reader does not finish what was left half done",
        "        if half_done is None:\n            break\n        finish(half_done)\n",
        "        break\n",
        "test_the_next_reader_finishes_what_was_left_half_done",
        takes="step 1",
    ),
    turns(
        "step 1: it looks for a half-made turn in the wrong place",
        "pk=StreamSwitch.key_for(movie_id, movie.switch_seq + 1)",
        "pk=StreamSwitch.key_for(movie_id, movie.switch_seq + 2)",
        "test_the_next_reader_finishes_what_was_left_half_done",
    ),
    turns(
        "step 2: whoever loses the race keeps to what it planned",
        "planned = plan(seen)",
        'planned = locals().get("planned") or plan(seen)',
        "test_whoever_loses_the_race_plans_on_what_the_winner_left",
        takes="step 2",
    ),
    turns(
        "step 2: whoever loses the race plans on what it has read before",
        "    for _ in range(MAX_TURNS):\n        seen = read(movie_id, at=at)\n        if if_seq",
        "    seen = read(movie_id, at=at)\n    for _ in range(MAX_TURNS):\n        if if_seq",
        "test_whoever_loses_the_race_plans_on_what_the_winner_left",
    ),
    turns(
        "step 3: a turn is carried out without its row",
        "    if not _insert(row):\n        return None\n    finish(row)\n",
        "    finish(row)\n",
        f"{SWITCHING}::test_nothing_to_change_writes_nothing",
        takes="step 3",
    ),
    turns(
        "step 4: versions are not written to",
        "        waiting.update(**_python(StreamVersion, columns), switch_seq=row.seq)\n",
        "        pass\n",
        f"{SWITCHING}::test_an_upgrade_retires_the_old_stream_and_names_its_successor",
        takes="step 4",
    ),
    turns(
        "step 5: the movie is not written to",
        "if movie.update(**_pointer_after(row)):",
        "if False:",
        f"{SWITCHING}::test_the_first_stream_becomes_active_and_the_log_says_why",
        takes="step 5",
    ),
    turns(
        "step 5: the movie counts the turn and keeps its pointer",
        "movie.update(**_pointer_after(row))",
        "movie.update(switch_seq=row.seq)",
        f"{SWITCHING}::test_the_first_stream_becomes_active_and_the_log_says_why",
    ),
    turns(
        "the sweep finishes nothing",
        "if reached.get(movie) == seq - 1)",
        "if reached.get(movie) == seq + 1)",
        "test_the_sweep_finishes_what_was_left_half_done",
    ),
    turns(
        "a turn that cannot be finished ends the sweep",
        "    except Exception:\n        logger.exception(",
        "    except OUTAGES:\n        logger.exception(",
        "test_a_turn_that_cannot_be_finished_keeps_no_other_from_it",
    ),
    turns(
        "the sweep looks at one page of turns",
        "while page := list(islice(taken, PAGE)):",
        "if page := list(islice(taken, PAGE)):",
        "test_the_sweep_finds_what_many_later_turns_hide",
    ),
    turns(
        "the sweep looks at all the turns there ever were",
        "StreamSwitch.objects.filter(at__gte=since)",
        "StreamSwitch.objects.all()",
        "test_the_sweep_looks_no_further_back_than_told",
    ),
    turns(
        "the sweep begins with the oldest turns",
        'filter(at__gte=since).order_by("-at", "-id")',
        'filter(at__gte=since).order_by("at", "-id")',
        "test_the_sweep_looks_at_the_newest_turns_first",
    ),
]
SEQ = [
    turns(
        "a late finisher writes to versions that have moved on",
        "filter(pk=key, switch_seq__lt=row.seq)",
        "filter(pk=key)",
        f"{TURNS}::test_a_late_finisher_does_not_undo_what_came_after",
    ),
    turns(
        "finishing twice undoes what was written to a version in between",
        "filter(pk=key, switch_seq__lt=row.seq)",
        "filter(pk=key, switch_seq__lte=row.seq)",
        "test_finishing_again_undoes_nothing_that_was_written_in_between",
    ),
    turns(
        "versions do not say which turn wrote to them",
        "_python(StreamVersion, columns), switch_seq=row.seq)",
        "_python(StreamVersion, columns))",
        "test_finishing_again_undoes_nothing_that_was_written_in_between",
    ),
    turns(
        "a late finisher writes to a movie that has moved on",
        "filter(pk=row.movie_id, switch_seq=row.seq - 1)\n    if movie",
        "filter(pk=row.movie_id)\n    if movie",
        f"{TURNS}::test_a_late_finisher_does_not_undo_what_came_after",
    ),
    turns(
        "the movie does not count its turns",
        'row.effects["movie"]), "switch_seq": row.seq}',
        'row.effects["movie"])}',
        f"{SWITCHING}::test_the_first_stream_becomes_active_and_the_log_says_why",
    ),
    turns(
        "the feed is nudged by those who finished nothing, too",
        "if movie.update(**_pointer_after(row)):",
        "if movie.update(**_pointer_after(row)) is not None:",
        "test_whoever_finishes_a_turn_nudges_the_feed_and_nobody_else",
    ),
    turns(
        "the feed is not nudged",
        "        events.nudge(row)\n",
        "        pass\n",
        "test_whoever_finishes_a_turn_nudges_the_feed_and_nobody_else",
    ),
    turns(
        "if_seq is not looked at",
        "if if_seq is not None and seen.movie.switch_seq != if_seq:",
        "if False:",
        f"{SWITCHING}::test_a_stale_turn_is_refused",
    ),
    turns(
        "if_seq of the first turn counts as none",
        "if if_seq is not None and",
        "if if_seq and",
        "test_if_seq_may_be_that_of_a_movie_without_a_turn",
    ),
    turns(
        "nobody ever gives up",
        "MAX_TURNS = 50",
        "MAX_TURNS = 50_000_000",
        "test_whoever_loses_every_race_gives_up_in_words",
    ),
    switching(
        "activate does not hand if_seq on",
        "    return turns.take(movie_id, plan, actor, comment, at, if_seq)\n\n\ndef rollback(",
        "    return turns.take(movie_id, plan, actor, comment, at)\n\n\ndef rollback(",
        "test_every_verb_of_an_editor_honours_if_seq[activate]",
    ),
    switching(
        "rollback does not hand if_seq on",
        "turns.take(movie_id, plan, actor, comment, at, if_seq))",
        "turns.take(movie_id, plan, actor, comment, at))",
        "test_every_verb_of_an_editor_honours_if_seq[rollback]",
    ),
    switching(
        "edit does not hand if_seq on",
        "Action.MOVIE_EDIT, movie_id, plan, actor, comment, at, if_seq)",
        "Action.MOVIE_EDIT, movie_id, plan, actor, comment, at)",
        "test_every_verb_of_an_editor_honours_if_seq[edit]",
    ),
    switching(
        "an observation is written whatever turn has touched the version since",
        "pk=version_id, switch_seq=seen.version(version_id).switch_seq",
        "pk=version_id",
        f"{TURNS}::test_an_observation_overtaken_by_a_turn_is_announced",
    ),
    switching(
        "whoever loses the race while observing takes it for won",
        'if turns.insert(seen, plan, actor, ""):',
        'if turns.insert(seen, plan, actor, "") is not plan:',
        "test_an_observation_that_loses_the_race_is_made_again",
    ),
    turns(
        "whoever finishes a turn does not look at the version afterwards",
        "    correction = _correct(row)\n",
        "    correction = None\n",
        f"{TURNS}::test_a_version_written_to_during_a_turn_is_announced_as_it_is",
    ),
    turns(
        "whoever finishes a turn late corrects it",
        "Movie.objects.filter(pk=row.movie_id, switch_seq=row.seq - 1).first()",
        "Movie.objects.filter(pk=row.movie_id).first()",
        "test_finishing_late_corrects_nothing",
    ),
    turns(
        "a correction is left half done",
        "    if correction:\n        finish(correction)\n",
        "",
        f"{TURNS}::test_a_version_written_to_during_a_turn_is_announced_as_it_is",
    ),
]
INSERT = [
    models(
        "a row of the log is written over the one that is there",
        '**{**kwargs, "force_insert": True}',
        "**kwargs",
        f"{GUARDS}::test_a_row_of_the_log_is_never_changed",
    ),
    turns(
        "whoever loses the race for a row dies of it",
        "        return StreamSwitch.objects.filter(pk=row.pk, attempt=row.attempt).exists()",
        "        raise",
        f"{TURNS}::test_whoever_loses_the_race_decides_again",
    ),
    turns(
        "whoever loses the race for a row takes it for won",
        "        return StreamSwitch.objects.filter(pk=row.pk, attempt=row.attempt).exists()",
        "        return True",
        f"{TURNS}::test_whoever_loses_the_race_decides_again",
    ),
    turns(
        "a row of my own attempt is somebody else's",
        "        return StreamSwitch.objects.filter(pk=row.pk, attempt=row.attempt).exists()",
        "        return False",
        f"{TURNS}::test_a_row_of_my_own_attempt_means_that_i_won",
    ),
    turns(
        "any row in my place is mine",
        "filter(pk=row.pk, attempt=row.attempt)",
        "filter(pk=row.pk)",
        f"{TURNS}::test_a_row_of_my_own_attempt_means_that_i_won",
    ),
    turns(
        "all attempts are one",
        "attempt=uuid.uuid4(),",
        "attempt=uuid.UUID(int=0),",
        f"{TURNS}::test_whoever_loses_the_race_decides_again",
    ),
    turns(
        "rows have keys of their own",
        "id=StreamSwitch.key_for(movie.pk, movie.switch_seq + 1),",
        "id=uuid.uuid4().hex[:24],",
        f"{SWITCHING}::test_the_first_stream_becomes_active_and_the_log_says_why",
    ),
]
ROW = [
    turns(
        "an editor's word does not outlive the next turn",
        "pointer = {name: getattr(movie, name) for name in _POINTER} | {",
        "pointer: dict[str, Any] = {",
        "test_a_turn_writes_all_that_stands_with_the_pointer",
    ),
    turns(
        "a turn that moves nothing says when it moved",
        '**({"switched_at": seen.at} if moved else {}),',
        '"switched_at": seen.at,',
        "test_a_turn_that_moves_nothing_leaves_switched_at",
    ),
    turns(
        "the quality of what is taken is not that of its row",
        "to = with_columns(plan.to, plan.versions.get(plan.to.pk, {})) if plan.to else None",
        "to = plan.to",
        f"{SWITCHING}::test_what_the_public_sees_of_the_active_stream_changes_by_a_turn",
    ),
    turns(
        "a failover promises the stream that it leaves",
        "if moved and plan.reason not in _DEAD_ENDS else None",
        "if moved else None",
        "test_a_failover_from_a_suppressed_stream_promises_nothing_of_it",
    ),
    turns(
        "a stream that did not move is promised an end",
        "if moved and plan.reason not in _DEAD_ENDS else None",
        "if plan.reason not in _DEAD_ENDS else None",
        "test_a_turn_that_moves_nothing_leaves_switched_at",
    ),
    turns(
        "a dead stream is promised",
        "if left is None or any(policy.unplayable(candidate(left), seen.at)):",
        "if left is None:",
        f"{SWITCHING}::test_nothing_is_promised_of_a_dead_stream_that_an_editor_leaves",
    ),
    turns(
        "a stream is promised for longer than its rights last",
        "(grace, left.rights_until, left.url_expires_at)",
        "(grace, left.url_expires_at)",
        f"{SWITCHING}::test_the_old_stream_is_promised_for_no_longer_than_it_may_be_played[rights_until]",
    ),
    turns(
        "a stream is promised for longer than its address lasts",
        "(grace, left.rights_until, left.url_expires_at)",
        "(grace, left.rights_until)",
        f"{SWITCHING}::test_the_old_stream_is_promised_for_no_longer_than_it_may_be_played[url_expires_at]",
    ),
    turns(
        "another cut is the same edition",
        "return cut and spoken",
        "return spoken",
        "test_whether_it_is_the_same_edition[another cut]",
    ),
    turns(
        "another language is the same edition",
        "return cut and spoken",
        "return cut",
        "test_whether_it_is_the_same_edition[no language in common]",
    ),
    turns(
        "an unknown cut is another one",
        "cut = not left.edition or not to.edition or ",
        "cut = ",
        "test_whether_it_is_the_same_edition[an unknown cut]",
    ),
    turns(
        "unknown languages are others",
        "spoken = not left.languages or not to.languages or ",
        "spoken = ",
        "test_whether_it_is_the_same_edition[unknown languages]",
    ),
    turns(
        "what was announced before is not kept",
        "before=seen.announced,",
        "before=None,",
        f"{SWITCHING}::test_an_upgrade_retires_the_old_stream_and_names_its_successor",
    ),
    switching(
        "a rollback is undone by the next one",
        "            undone.add(row.undoes)\n",
        "            pass\n",
        f"{SWITCHING}::test_rolling_back_again_goes_one_change_further_back",
    ),
    switching(
        "what was undone is undone again",
        "elif row.moves_pointer and row.seq not in undone:",
        "elif row.moves_pointer:",
        f"{SWITCHING}::test_rolling_back_again_goes_one_change_further_back",
    ),
    switching(
        "a turn that moved nothing is undone",
        "elif row.moves_pointer and row.seq not in undone:",
        "elif row.seq not in undone:",
        "test_a_rollback_goes_past_what_moved_nothing",
    ),
]
MUTANTS = [*STEPS, *SEQ, *INSERT, *ROW]
