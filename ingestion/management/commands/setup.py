"""`manage.py setup`: what has to be in place before Marquee runs. Twice, or two at once, is like once."""

from __future__ import annotations

import os
import secrets
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core import checks
from django.core.management import CommandError, call_command
from django.core.management.base import BaseCommand
from django.db import connections
from django.utils import timezone

from core import audit, databases, migrating, setup_lock
from ingestion import runs, schedule
from ingestion.models import Job
from providers import services
from providers.checks import unfinished
from streaming.models import Movie

PASSWORD_FILE = "admin-password"
UNFINISHED = "static.unfinished"


class Command(BaseCommand):
    help = "Bring databases, static files, schedule, library provider and first account up to date."

    def handle(self, *args: Any, **options: Any) -> None:
        with audit.at_terminal("setup"):
            self._set_up(Path(settings.DATA_DIR))

    def _set_up(self, folder: Path) -> None:
        refuse_what_cannot_work()
        try:
            with setup_lock.only_one(folder, on_wait=lambda what: self._say("waiting", f"for {what} to end")):
                for alias in connections:
                    self._migrate(alias)
                with audit.act(audit.Action.SYSTEM_SETUP):
                    self._fill(folder)
        except databases.Unusable as error:
            raise CommandError(str(error)) from error
        except databases.FAILURES as error:
            raise CommandError(f"A database went away: {databases.reason(error)}. Run this again.") from error

    def _migrate(self, alias: str) -> None:
        began = time.monotonic()
        with databases.explained(alias):
            applied = migrating.bring_up_to_date(alias)
        done = f"{applied} migrations in {time.monotonic() - began:.1f} s" if applied else "up to date"
        self._say("database" if alias == "default" else alias, f"{databases.name(alias)}: {done}")

    def _fill(self, folder: Path) -> None:
        self._say("static", collect_static(folder))
        library = services.ensure_library()
        self._say("library", str(library.config["base_url"]) if library else "none (LIBRARY_URL is empty)")
        services.ensure_licensed()
        self._say_providers()
        self._say("schedule", ", ".join(schedule.initialize()))
        self._say("account", first_account(folder))
        if settings.TMDB_API_KEY and not Movie.objects.exists():
            runs.queue(Job.DISCOVER, at=timezone.now(), trigger="setup")
            self._say("catalogue", "empty; the first discovery is queued")

    def _say_providers(self) -> None:
        """Those that are on and cannot be asked, with the reason; of those that are off, who they are."""
        found = unfinished()
        for warning in (line for line in found if line.level >= checks.WARNING):
            self._say("provider", warning.msg)
        if off := [line.obj.label for line in found if line.level < checks.WARNING]:
            self._say("providers", f"off until they are set up in the admin: {', '.join(off)}")

    def _say(self, what: str, how: str) -> None:
        self.stdout.write(f"{what:<10} {how}")
        self.stdout.flush()


def refuse_what_cannot_work() -> None:
    """Raises CommandError for a configuration that loses data or keeps two machines apart."""
    found = checks.run_checks(tags=["marquee"], include_deployment_checks=True)
    errors = [" ".join(filter(None, [e.msg, e.hint, f"({e.id})"])) for e in found if e.is_serious()]
    if errors:
        raise CommandError("\n".join(errors))


def collect_static(folder: Path) -> str:
    """Collect the static files; where they are, in words.

    A file that was cut off when a setup was killed looks newer than its source, and would be kept. So all of
    them are made anew if the last one did not end.
    """
    unfinished = folder / UNFINISHED
    again = unfinished.exists()
    unfinished.touch()
    call_command("collectstatic", interactive=False, verbosity=0, clear=again)
    unfinished.unlink()
    return str(settings.STATIC_ROOT)


def first_account(folder: Path) -> str:
    """Make the superuser `admin` unless there is a superuser; where its password is, in words.

    The password is kept before the account is made: an account whose password nobody knows is of no use.
    """
    users = get_user_model().objects
    if users.filter(is_superuser=True).exists():
        return "there is one"
    path = folder / PASSWORD_FILE
    path.unlink(missing_ok=True)
    password = secrets.token_urlsafe(12)
    with open(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(password + "\n")
    users.create_superuser("admin", password=password)
    return f"admin, its password is in {path}"
