"""`manage.py setup`: what has to be in place before Marquee runs. Twice is the same as once."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.utils import timezone

from ingestion import runs, schedule
from ingestion.models import Job
from providers import services
from streaming.models import Movie

PASSWORD_FILE = "admin-password"


class Command(BaseCommand):
    help = "Bring database, static files, schedule, library provider and first account up to date."

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", interactive=False, verbosity=0)
        self._say("database", "migrated")
        call_command("collectstatic", interactive=False, verbosity=0)
        self._say("static", str(settings.STATIC_ROOT))
        library = services.ensure_library()
        self._say("library", str(library.config["base_url"]) if library else "none (LIBRARY_URL is empty)")
        self._say("schedule", ", ".join(schedule.initialize()))
        self._say("account", first_account(Path(settings.DATA_DIR)))
        if settings.TMDB_API_KEY and not Movie.objects.exists():
            runs.queue(Job.DISCOVER, at=timezone.now(), trigger="setup")
            self._say("catalogue", "empty; the first discovery is queued")

    def _say(self, what: str, how: str) -> None:
        self.stdout.write(f"{what:<10} {how}")


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
