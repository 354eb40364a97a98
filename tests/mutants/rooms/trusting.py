"""What keeps people out, and what is on record of those who came in: sessions, lock-out, proxies, origins,
roles, cursors, checks of a deployment, the audit."""

from __future__ import annotations

from tests.mutants.mutant import mutants_of

AUDIT = "tests/core/test_audit.py"
AUDITED = "tests/ingestion/test_audited.py"
HOSTILE = "tests/hostile"
ASKED = "        user = super().authenticate(request, username=name, password=password)\n"
tokens = mutants_of("core/tokens.py", tests="tests/core/test_auth.py")
keys = mutants_of("core/jwt_keys.py", tests="tests/core/test_jwt_keys.py")
lockout = mutants_of("core/lockout.py", tests="tests/core/test_lockout.py")
addresses = mutants_of("core/addresses.py", tests="tests/core/test_addresses.py")
throttles = mutants_of("core/throttles.py", tests="tests/core/test_throttles.py")
edge = mutants_of("config/edge.py", tests="tests/config/test_edge.py")
cors = mutants_of("config/cors.py", tests="tests/config/test_cors.py")
roles = mutants_of("core/roles.py", tests="tests/core/test_roles.py")
permissions = mutants_of("core/permissions.py", tests="tests/test_api_roles.py")
paging = mutants_of("core/paging.py", tests=f"{HOSTILE}/test_queries.py")
safety = mutants_of("config/safety.py", tests="tests/config/test_safety.py")
masks = mutants_of("core/audit/masks.py", tests=AUDIT)
acts = mutants_of("core/audit/acts.py", tests=AUDIT)
keeping = mutants_of("core/audit/keeping.py", tests=AUDIT)
accounts = mutants_of("core/audit/accounts.py", tests=AUDITED)
runs = mutants_of("ingestion/runs.py", tests=AUDITED)
redact = mutants_of("core/redact.py", tests=AUDIT)

SESSIONS = [
    tokens(
        "a refresh token is good for ever more",
        "counts = TokenFamily.objects.filter(pk=used.family, seq=used.number)",
        "counts = TokenFamily.objects.filter(pk=used.family)",
        "test_a_refresh_token_is_spent_by_its_use",
        "test_a_refresh_token_that_comes_twice_ends_all_that_descends_from_its_sign_in",
    ),
    tokens(
        "a refresh token that comes twice is refused, and its family lives on",
        "    if _end(used.family):\n",
        "    if False:\n",
        "test_a_refresh_token_that_comes_twice_ends_all_that_descends_from_its_sign_in",
        "test_of_a_refresh_token_sent_many_times_at_once_one_is_answered_and_its_family_ends",
    ),
    tokens(
        "an access token outlives its family",
        'if not TokenFamily.objects.filter(pk=validated_token["sid"]).exists():',
        "if False:",
        "test_signing_out_ends_the_whole_family_at_once",
    ),
    tokens(
        "signing out ends nothing",
        "    if not _end(token.family):\n",
        "    if not token.family:\n",
        "test_signing_out_ends_the_whole_family_at_once",
    ),
    tokens(
        "an account that was locked renews its session",
        "user = JWTAuthentication().get_user(used)",
        'user = get_user_model().objects.get(pk=used["user_id"])',
        "test_an_account_that_is_locked_or_gone_is_let_in_no_more",
    ),
    tokens(
        "a session lasts as long as we thought once",
        "return timedelta(days=conf.current().session_days)",
        "return timedelta(days=14)",
        "test_a_session_lasts_as_long_as_the_settings_say",
    ),
    keys(
        "a token is verified by our newest key, whichever it names",
        'key = self._by_id.get(jwt.get_unverified_header(token).get("kid", ""))',
        "key = str(self.signing_key)",
        "test_a_key_is_rotated_without_ending_a_session",
    ),
    keys(
        "any issuer will do",
        "super().__init__(ALGORITHM, signing_key=keys[0], issuer=ISSUER)",
        "super().__init__(ALGORITHM, signing_key=keys[0])",
        "test_a_token_that_lacks_what_ours_have_is_refused",
    ),
    keys(
        "a short key is a key",
        "return len(prepared) >= SHORTEST_BYTES",
        "return True",
        "test_what_is_no_key_is_told_by_its_place",
    ),
]

GUESSING = [
    lockout(
        "nobody ever waits",
        "return 0 if beyond < 0 else min(FIRST_PAUSE_S << min(beyond, 10), LONGEST_PAUSE_S)",
        "return 0",
        "test_the_pause_doubles_up_to_a_quarter_of_an_hour",
        "test_after_ten_wrong_passwords_nobody_signs_in_for_a_while",
    ),
    lockout(
        "a pause is longer than anybody waits",
        "min(FIRST_PAUSE_S << min(beyond, 10), LONGEST_PAUSE_S)",
        "FIRST_PAUSE_S << min(beyond, 10)",
        "test_the_pause_doubles_up_to_a_quarter_of_an_hour",
    ),
    lockout(
        "another spelling is another count",
        "        name = fold(username)\n",
        "        name = username\n",
        "test_addresses_and_spellings_do_not_escape_it",
    ),
    lockout(
        "whoever guesses keeps the owner out",
        "known = throttles.counter.read(_known(name, address)) is not None",
        "known = False",
        "test_a_guesser_elsewhere_does_not_keep_the_owner_out",
    ),
    lockout(
        "each address guesses anew",
        "known = throttles.counter.read(_known(name, address)) is not None",
        "known = True",
        "test_addresses_and_spellings_do_not_escape_it",
    ),
    lockout(
        "whoever is impatient waits the longer for it",
        "    _refuse_until(throttles.counter.read(pausing))\n",
        "",
        "test_whoever_is_impatient_waits_no_longer_for_it",
    ),
    lockout(
        "a password is looked at during a pause",
        f"        _admit(counted)\n{ASKED}",
        f"{ASKED}        _admit(counted)\n",
        "test_no_password_is_looked_at_during_a_pause",
    ),
    lockout(
        "of many at once all are let through",
        "if not throttles.counter.note(pausing, time.time() + pause, for_s=pause, once=True):",
        "if not throttles.counter.note(pausing, time.time() + pause, for_s=pause):",
        "test_of_two_that_both_see_no_pause_yet_one_is_let_through",
    ),
    throttles(
        "an address is whatever a header says",
        "return [] if request.user.is_authenticated else [address_of(request)]",
        'return [] if request.user.is_authenticated else [request.META.get("HTTP_X_FORWARDED_FOR", "")]',
        "test_each_address_has_its_own_count_and_no_header_changes_it",
    ),
    throttles(
        "signing in is counted by address alone",
        'return [address_of(request), f"account-{account}"]',
        "return [address_of(request)]",
        "test_sign_in_is_counted_by_address_and_by_account",
    ),
    throttles(
        "what came to no view is not counted",
        "return response if _is_counted(request) else _refusal(request) or response",
        "return response",
        "test_what_is_turned_away_before_its_view_counts_is_counted_too",
    ),
    throttles(
        "a request counts twice",
        "        _mark_counted(request._request)\n",
        "",
        "test_a_request_counts_once",
    ),
    throttles(
        "without Redis nobody is answered",
        "                self.away_until = time.monotonic() + REDIS_PAUSE_S\n",
        "                raise\n",
        "test_without_redis_each_process_counts_for_itself",
    ),
]

CALLERS = [
    addresses(
        "whoever is furthest away is believed",
        'for hop in reversed(forwarded_for.split(",")):',
        'for hop in forwarded_for.split(","):',
        "test_the_nearest_hop_that_is_not_trusted_is_the_caller",
    ),
    addresses(
        "a hop is passed over, trusted or not",
        "if before is None or not trusts(at, trusted):",
        "if before is None:",
        "test_the_nearest_hop_that_is_not_trusted_is_the_caller",
        "test_nothing_that_a_caller_writes_changes_who_it_is",
    ),
    addresses(
        "each of a network's addresses is counted apart",
        "return str(ipaddress.ip_network((ip, SUBSCRIBER_BITS), strict=False).network_address)",
        "return str(ip)",
        "test_whom_an_address_belongs_to",
    ),
    edge(
        "every peer is a proxy of ours",
        "if client and addresses.trusts(addresses.parse(client[0]), self.trusted):",
        "if client:",
        "test_by_default_not_even_this_machine_is_believed",
    ),
    edge(
        "of several schemes the first one counts",
        'return "https" if said == [b"https"] else',
        'return "https" if said[:1] == [b"https"] else',
        "test_a_scheme_that_is_not_one_word_is_none",
    ),
    edge(
        "several hosts are as good as one",
        'if named > 1 or (named == 0 and scope["http_version"] == "1.1"):',
        'if named == 0 and scope["http_version"] == "1.1":',
        "test_whoever_names_no_host_or_several_is_refused",
    ),
    edge(
        "what is no page keeps the policy of pages",
        'wanted += [(b"content-security-policy", CLOSED_POLICY.encode())]',
        'wanted += [(b"content-security-policy", self.page_policy)]',
        "test_what_is_no_page_may_do_nothing_as_a_document",
    ),
    edge(
        "browsers are told to keep to TLS that there is not",
        'if scheme != "https" or not settings.SECURE_HSTS_SECONDS:',
        "if not settings.SECURE_HSTS_SECONDS:",
        "test_only_over_tls_browsers_are_told_to_keep_to_it",
    ),
    cors(
        "every origin may read",
        "shared = _may_read(origin) if origin in self.allowed else []",
        "shared = _may_read(origin) if origin else []",
        "test_no_other_origin_may_read",
    ),
    cors(
        "a cache is not told that answers differ by origin",
        '[*_varying(message["headers"]), *shared]',
        '[*message["headers"], *shared]',
        "test_answers_differ_by_origin_and_say_so_whoever_asks",
    ),
    cors(
        "pages and the back office are everybody's",
        ' or not str(scope["path"]).startswith("/api/"):',
        ":",
        "test_pages_and_the_back_office_are_nobody_elses",
    ),
    roles(
        "an account that was locked keeps its roles",
        'if not getattr(user, "is_active", False):',
        'if not hasattr(user, "is_active"):',
        "test_an_inactive_account_is_nobody",
    ),
    permissions(
        "editors start jobs",
        "    role = Role.OPERATOR\n",
        "    role = Role.EDITOR\n",
        "test_each_role_comes_as_far_as_the_table_says",
    ),
    permissions(
        "viewers write where editors do",
        "return None if method in SAFE_METHODS else Role.EDITOR",
        "return None if method in SAFE_METHODS else Role.VIEWER",
        "test_each_role_comes_as_far_as_the_table_says",
    ),
    permissions(
        "a view that names nobody is open",
        "        return False\n",
        "        return True\n",
        "tests/core/test_roles.py::test_a_view_that_names_no_permission_is_closed",
    ),
    paging(
        "a cursor is whatever somebody sends",
        "except BadSignature:",
        "except ZeroDivisionError:",
        "test_a_cursor_that_no_page_gave_is_refused",
    ),
    paging(
        "a cursor of one list opens another",
        "return Signer(salt=f\"cursor of {model._meta.label} by {' '.join(order)}\")",
        'return Signer(salt="cursor")',
        "tests/streaming/test_movie_pages.py::test_a_cursor_of_another_order_list_or_maker_is_refused",
    ),
]

DEPLOYING = [
    safety(
        f"a deployment starts with {what}",
        text,
        replacement,
        "test_what_is_unsafe_is_named_with_what_to_do_and_shows_no_key",
    )
    for what, text, replacement in (
        ("its debug pages", "if not (settings.DEPLOYED and settings.DEBUG):", "if True:"),
        ("open hosts", 'if "*" not in settings.ENV["ALLOWED_HOSTS"]:', "if True:"),
        ("weak keys", "return len(key) < shortest or", "return"),
        ("keys that are made up", "made_up = any(", "made_up = None is any("),
        ("one key for two things", "        if len(names) > 1\n", "        if len(names) > 4\n"),
        ("insecure cookies", "if getattr(settings, name) not in wanted]", "if False]"),
        ("an origin that is none", 'return text == written and "*" not in text', "return True"),
        ("everybody as its proxy", 'return "" if network.prefixlen else', 'return "" if True else'),
        ("pages that come by HTTP", 'if origin.startswith("http://") and not', 'if origin == "" and not'),
    )
]

ON_RECORD = [
    acts(
        "an act is written down when it is over",
        "    begun.save()\n    return begun\n",
        "    return begun\n",
        "test_an_act_is_on_record_before_it_is_done_and_its_end_after_it",
        "test_an_act_that_cannot_be_written_down_is_not_done",
    ),
    acts(
        "how an act failed is not told",
        "end(begun, Outcome.REFUSED if refused else Outcome.FAILED, deed, error=told)",
        "pass",
        "test_an_act_that_raises_is_recorded_and_raises",
    ),
    acts(
        "what was refused was done",
        "outcome = Outcome.DONE if deed.refused_for is None else Outcome.REFUSED",
        "outcome = Outcome.DONE",
        "test_what_is_refused_without_an_exception_says_so",
    ),
    acts(
        "a bug's words are kept",
        'told = f"{type(error).__name__}: {error}" if refused else type(error).__name__',
        'told = f"{type(error).__name__}: {error}"',
        "test_an_act_that_raises_is_recorded_and_raises",
    ),
    keeping(
        "an act that has just begun is given up",
        "id__lt=floor_of(at - GIVEN_UP_AFTER)",
        "id__lt=floor_of(at)",
        "test_an_act_whose_process_died_is_given_up_once_and_only_after_an_hour",
    ),
    keeping(
        "rows are deleted before their time",
        "old = AuditEntry.objects.filter(id__lt=floor_of(before))",
        "old = AuditEntry.objects.filter(id__gt=floor_of(before))",
        "test_rows_past_their_time_are_deleted_and_younger_ones_stay",
    ),
    runs(
        "who cancels a run is not on record",
        "    with audit.act(Action.RUN_CANCEL, run_id) as deed:\n",
        "    with audit.act(Action.JOB_START, run_id) as deed:\n",
        f"{AUDITED}::TestApi::test_it_leaves_its_rows",
        f"{AUDITED}::TestAdmin::test_it_leaves_its_rows",
    ),
    accounts(
        "who is made staff is not on record",
        "post_save.connect(_after_save, sender=model",
        "post_save.disconnect(_after_save, sender=model",
        f"{AUDITED}::TestAdmin::test_it_leaves_its_rows",
        f"{AUDITED}::TestCommands::test_djangos_own_commands_for_accounts_leave_theirs",
    ),
    accounts(
        "a password typed as a name is kept",
        'else ("", "no account of ours")',
        "else (tried, tried)",
        f"{AUDITED}::TestSecrets::test_of_whoever_signs_in",
    ),
    accounts(
        "who gives whom a role is not on record",
        "    if names:\n        given, taken",
        "    if False:\n        given, taken",
        f"{AUDITED}::TestAdmin::test_who_is_given_and_loses_a_role_is_on_record",
    ),
    masks(
        "a value is kept whatever its name",
        "kept[key] = MASK if _hidden(str(name), value) else plain(value, depth - 1)",
        "kept[key] = plain(value, depth - 1)",
        f"{AUDIT}::TestMasks::test_values",
    ),
    masks(
        "a secret of ours is kept where somebody pasted it",
        'keys = ("SECRET_KEY", "METRICS_TOKEN", "TMDB_API_KEY")',
        'keys = ("TMDB_API_KEY",)',
        f"{AUDIT}::TestMasks::test_what_this_installation_keeps_secret_is_masked_wherever_it_is_pasted",
        f"{AUDITED}::TestSecrets::test_of_a_request",
    ),
    masks(
        "operators of a database are kept as names",
        '.replace(".", "_").replace("$", "_")',
        "",
        f"{AUDIT}::TestMasks::test_values",
    ),
    redact(
        "half of a secret is kept",
        "if 0 <= at < length < at + len(form):",
        "if False:",
        f"{AUDIT}::TestMasks::test_a_secret_that_the_end_of_the_text_would_cut_in_two_is_left_out",
    ),
    redact(
        "a token of somebody's is kept",
        r'    (re.compile(r"\b(Bearer|Basic)\s+[\w.~+/=-]{6,}"), rf"\g<1> {MASK}"),' + "\n"
        r'    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"), MASK),  # a JSON Web Token' + "\n",
        "",
        f"{AUDITED}::TestSecrets::test_of_a_request",
    ),
]

MUTANTS = [*SESSIONS, *GUESSING, *CALLERS, *DEPLOYING, *ON_RECORD]
