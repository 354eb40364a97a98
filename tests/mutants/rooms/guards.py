"""The guards around switching: transactions, `save()`, deletion, and what others may not write."""

from __future__ import annotations

from tests.mutants.mutant import mutants_of

GUARDS = "tests/streaming/test_guards.py"
turns = mutants_of("streaming/turns.py", tests=GUARDS)
models = mutants_of("streaming/models.py", tests=GUARDS)
switching = mutants_of("streaming/switching.py", tests=GUARDS)
admin = mutants_of("core/admin.py", tests=GUARDS)

OWNED = {  # by column, the text that names it once in the file, and what is left without it
    "movie.active_stream": ('            "active_stream",\n', ""),
    "movie.active_quality": ('            "active_quality",\n', ""),
    "movie.switch_seq": ('"switch_seq",\n            "switched_at",', '"switched_at",'),
    "movie.switched_at": ('            "switched_at",\n', ""),
    "movie.pinned": ('            "pinned",\n', ""),
    "movie.hidden": ('            "hidden",\n', ""),
    "movie.target_quality": ('            "target_quality",\n', ""),
    "movie.removed_at": ('            "removed_at",\n', ""),
    "version.retired_at": ('            "retired_at",\n', ""),
    "version.replaced_by": ('            "replaced_by",\n', ""),
    "version.suppressed_at": ('            "suppressed_at",\n', ""),
    "version.suppressed_until": ('            "suppressed_until",\n', ""),
    "version.suppressed_why": ('            "suppressed_why",\n', ""),
    "version.canary_failures": ('            "canary_failures",\n', ""),
    "version.on_trial": ('            "on_trial",\n', ""),
    "version.switch_seq": ('"on_trial",\n            "switch_seq",', '"on_trial",'),
}
MUTANTS = [
    turns(
        "a row is inserted in a transaction that may be rolled back",
        "durable=True",
        "durable=False",
        "test_not_even_an_observation_takes_a_turn_in_an_open_transaction",
    ),
    turns(
        "a switch begins inside an open transaction",
        '    """\n    _refuse_open_transaction()\n',
        '    """\n',
        "test_switching_refuses_an_open_transaction",
    ),
    turns(
        "an open transaction is overlooked",
        'if blocks and not getattr(blocks[-1], "_from_testcase", False):',
        "if False:",
        "test_switching_refuses_an_open_transaction",
    ),
    models(
        "a plain save writes what switching owns",
        "            wanted -= owned\n",
        "            pass\n",
        "test_a_plain_save_leaves_be_what_switching_owns",
    ),
    models(
        "save may name what switching owns",
        "        elif owned:\n",
        "        elif False:\n",
        "test_save_refuses_what_switching_owns[movie.pinned]",
        "test_save_refuses_what_switching_owns[version.on_trial]",
    ),
    models(
        "save may name what switching owns by its other name",
        "{columns.get(name, name) for name in",
        "{name for name in",
        "test_a_column_under_its_other_name_is_refused_as_well",
    ),
    *(
        models(
            f"{column} is nobody's own",
            text,
            replacement,
            f"test_save_refuses_what_switching_owns[{column}]",
        )
        for column, (text, replacement) in OWNED.items()
    ),
    models(
        "a new row overwrites the one that is there",
        '            kwargs["force_insert"] = True\n',
        "",
        "test_a_new_row_overwrites_none_that_is_there",
    ),
    switching(
        "an observation may name what switching owns",
        "if owned := StreamVersion.SWITCHING_OWNS & set(columns):",
        "if owned := set[str]():",
        "test_an_observation_may_not_name_what_switching_owns",
    ),
    models(
        "a version can be deleted while it is active",
        '"streaming.StreamVersion", models.PROTECT,',
        '"streaming.StreamVersion", models.SET_NULL,',
        "test_the_active_version_and_a_movie_with_history_cannot_be_deleted",
    ),
    models(
        "a movie takes its versions with it",
        'models.ForeignKey(Movie, models.PROTECT, related_name="versions")',
        'models.ForeignKey(Movie, models.CASCADE, related_name="versions")',
        "test_a_movie_with_versions_cannot_be_deleted",
    ),
    models(
        "a movie takes its log with it",
        'models.ForeignKey(Movie, models.PROTECT, related_name="switches")',
        'models.ForeignKey(Movie, models.CASCADE, related_name="switches")',
        "test_a_movie_with_a_log_cannot_be_deleted",
    ),
    models(
        "a provider takes its versions with it",
        'models.ForeignKey("providers.Provider", models.PROTECT, related_name="+")',
        'models.ForeignKey("providers.Provider", models.CASCADE, related_name="+")',
        "test_a_provider_with_versions_cannot_be_deleted",
    ),
    admin(
        "the admin deletes rows",
        "def has_delete_permission(",
        "def had_delete_permission(",
        "test_the_admin_deletes_nothing",
    ),
    admin(
        "the admin adds rows",
        "def has_add_permission(",
        "def had_add_permission(",
        "test_the_admin_adds_nothing",
    ),
]
