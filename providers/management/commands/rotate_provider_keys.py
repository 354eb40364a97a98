"""`manage.py rotate_provider_keys`: encrypt every provider's secrets with the first of PROVIDER_SECRET_KEYS.

Twice is like once, and it may be killed. Exit code 0 when no other key is needed any more.
"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core import audit
from providers import secrets
from providers.errors import ProviderMisconfigured
from providers.models import Provider


class Command(BaseCommand):
    help = "Encrypt the secrets of all providers with the first of PROVIDER_SECRET_KEYS."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="say what needs an old key; write nothing")

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        with audit.at_terminal("rotate_provider_keys"):
            self._rotate(check)

    def _rotate(self, check: bool) -> None:
        held, left, lost = 0, 0, 0
        for provider in Provider.objects.order_by("slug"):
            held += len(provider.secrets)
            try:
                names = secrets.outdated(provider) if check else _renewed(provider)
            except ProviderMisconfigured as error:
                lost += 1
                self._say(provider.slug, error.message)
                continue
            left += len(names) if check else 0
            self._say_names(provider, names, "needs an old key" if check else "encrypted with the first key")
        self.stdout.write(f"{held} secrets of providers, {left or 'none'} of them in need of an old key.")
        if lost:
            raise CommandError(f"{lost} of the providers cannot be read; the lines above say why.")
        if left:
            raise CommandError("Keep the old keys until `manage.py rotate_provider_keys` has run.")

    def _say_names(self, provider: Provider, names: list[str], what: str) -> None:
        for name in sorted({*provider.secrets, *names}):
            state = what if name in names else "encrypted with the first key already"
            self._say(provider.slug, f"{name:<20} {state}")

    def _say(self, provider: str, what: str) -> None:
        self.stdout.write(f"{provider:<20} {what}")


def _renewed(provider: Provider) -> list[str]:
    """The names of the secrets that had to be encrypted anew."""
    with audit.act(audit.Action.PROVIDER_ROTATE_KEYS, provider.pk, name=provider.label) as deed:
        names = secrets.renew(provider)
        deed.changed(after={"encrypted_anew": names})
    return names
