"""What an operator does about a provider that fails: start afresh with it, and probe what failed once more.

Its page and its settings are those of `providers.admin`; probing takes a run, so these are here.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from core import audit
from core.audit import Action
from ingestion import blame, runs
from ingestion.models import Job
from providers import health, services
from providers.admin.providers import ProviderAdmin
from providers.health import State
from providers.models import Provider
from streaming import verification

VERBS = (
    {
        "name": "reset",
        "label": "Reset",
        "help": "End its back-off, its pause and its blame: ask it again at once.",
    },
    {
        "name": "recheck",
        "label": "Probe what failed",
        "help": "Probe its streams that failed now, before their time.",
    },
)
BELIEVE = {
    "name": "believe",
    "label": "Believe it",
    "help": "Its failed streams are gone indeed: end its blame, and leave each that fails once more.",
}

admin.site.unregister(Provider)


@admin.register(Provider)
class OperatedProviderAdmin(ProviderAdmin):
    """The page of a provider, with what is done about one that fails. Each is a POST, and in its history."""

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        ours = [
            path(f"<str:slug>/{name}/", wrap(require_POST(view)), name=f"provider_{name}")
            for name, view in (
                ("reset", self.reset_view),
                ("recheck", self.recheck_view),
                ("believe", self.believe_view),
            )
        ]
        return [*ours, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        context = self._offered(unquote(object_id)) if self.has_change_permission(request) else {}
        return super().change_view(request, object_id, form_url, {**context, **(extra_context or {})})

    def _offered(self, slug: str) -> dict[str, Any]:
        """The buttons, and whether to say beside them what each does: only where something is wrong."""
        provider = Provider.objects.filter(pk=slug).first()
        state = health.state(provider, timezone.now()) if provider else State.OFF
        offered = (*VERBS, BELIEVE) if state is State.BLAMED else VERBS
        verbs = [{**verb, "url": self._url(verb["name"], slug)} for verb in offered]
        return {"verbs": verbs, "unwell": state not in (State.OFF, State.ON)}

    def reset_view(self, request: HttpRequest, slug: str) -> HttpResponse:
        provider = self._provider(request, slug)
        with audit.act(Action.PROVIDER_RESET, provider.pk, name=provider.label) as deed:
            before = _standing(provider)
            services.reset(provider)
            provider.refresh_from_db()
            deed.changed(before, _standing(provider))
        return self._done(request, provider, "Reset: it is asked again at once, and blamed for nothing.")

    def recheck_view(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Make the failed ones due, and queue the run that probes what is due."""
        provider, at = self._provider(request, slug), timezone.now()
        with audit.act(Action.PROVIDER_RECHECK, provider.pk, name=provider.label) as deed:
            found = verification.look_at_failed(provider.pk, at=at)
            deed.changed(after={"streams": found})
        if not found:
            messages.info(
                request, "None of its streams failed its last probe, but for those being looked at."
            )
            return redirect(self._url("change", slug))
        who = request.user.get_username()
        runs.ask(Job.REVERIFY, at=at, trigger="admin", by=who)
        streams = "1 stream is" if found == 1 else f"{found} streams are"
        return self._done(request, provider, f"{streams} probed again: a run is queued.")

    def believe_view(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Count what was held against a provider that is blamed."""
        provider = self._provider(request, slug)
        if not health.is_blamed(provider.pk):
            messages.info(request, "It is not blamed: what its streams do counts against them already.")
            return redirect(self._url("change", slug))
        with audit.act(Action.PROVIDER_BELIEVE, provider.pk, name=provider.label) as deed:
            struck = blame.believe(provider, at=timezone.now())
            deed.changed({"blamed": True}, {"blamed": False, "streams_struck": struck})
        streams = "1 stream is" if struck == 1 else f"{struck} streams are"
        said = f"Blamed no longer: {streams} suspect, and left if probed in vain in two minutes."
        return self._done(request, provider, said)

    def _provider(self, request: HttpRequest, slug: str) -> Provider:
        if not self.has_change_permission(request):
            raise PermissionDenied
        provider = Provider.objects.filter(pk=unquote(slug)).first()
        if provider is None:
            raise Http404(f"There is no provider {unquote(slug)[:60]!r}.")
        return provider

    def _done(self, request: HttpRequest, provider: Provider, said: str) -> HttpResponse:
        self.log_change(request, provider, said)
        messages.success(request, said)
        return redirect(self._url("change", provider.pk))

    def _url(self, page: str, slug: str) -> str:
        name = "providers_provider_change" if page == "change" else f"provider_{page}"
        return reverse(f"{self.admin_site.name}:{name}", args=[quote(slug)])


def _standing(provider: Provider) -> dict[str, Any]:
    """What a reset ends."""
    return {
        "backs_off_until": provider.backoff_until,
        "backoff_rung": provider.backoff_rung,
        "blamed_at": provider.blamed_at,
    }
