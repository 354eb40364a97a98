"""The five steps of a turn, the conditions on seq, the unique insert."""

from __future__ import annotations

from tests.mutants.mutant import mutants_of

turns = mutants_of("streaming/turns.py", tests="tests/streaming/test_turns.py")
SWITCHING = "tests/streaming/test_switching.py"
MUTANTS = [
    turns(
        "step 4 left out",
        "        waiting.update(**_python(StreamVersion, columns), switch_seq=row.seq)\n",
        "        pass\n",
        f"{SWITCHING}::test_an_upgrade_retires_the_old_stream_and_names_its_successor",
        takes="step 4",
    ),
    turns(
        "step 5 left out",
        'if movie.update(**_python(Movie, row.effects["movie"]), switch_seq=row.seq):',
        "if False:",
        f"{SWITCHING}::test_the_first_stream_becomes_active_and_the_log_says_why",
        takes="step 5",
    ),
]
