"""The list of providers with their health, the pages on which an operator adds one and sets it up, its test.

What is tried out writes nothing but a line in the admin's own log: who tested what, and how far it came.
"""

from __future__ import annotations

import inspect
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from core import conf
from core.admin import RoleAdmin
from core.audit import masks
from core.roles import Role
from core.templatetags.ago import ago
from providers import health, readiness, secrets, sessions, testing
from providers.admin import chart
from providers.admin.forms import FORGET, PREFIX, FilmForm, ProviderForm, form_for, labelled, names_for
from providers.base import SAMPLE, Capability, LicensedProvider
from providers.errors import ProviderMisconfigured
from providers.models import Provider
from providers.registry import ADAPTERS

COMMON = ("label", "enabled", "licence_note", "allowed_hosts", "priority", "rate_limit_rps", "trust_claims")
HEALTH = ("state", "reliability_shown", "speed", "last_ok", "trouble")
ON_ITS_PAGE = (*HEALTH, "pace", "week")

FINDS_BY = {
    Capability.BY_TMDB_ID: "TMDB id",
    Capability.BY_IMDB_ID: "IMDb id",
    Capability.BY_TITLE: "title and year",
}
DELIVERS = {
    Capability.HLS: "HLS",
    Capability.DASH: "DASH",
    Capability.PROGRESSIVE: "files",
    Capability.EMBED: "pages to embed",
}


@admin.register(Provider)
class ProviderAdmin(RoleAdmin):
    title = "Providers"
    changed_by = Role.OPERATOR
    audited = "provider"
    form = ProviderForm
    list_display = ("label", "adapter", *HEALTH[:1], "priority", *HEALTH[1:])
    ordering = ("priority", "slug")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_change_permission(request)

    def get_urls(self) -> list[URLPattern]:
        test = self.admin_site.admin_view(self.test_view)
        return [path("<str:slug>/test/", test, name="provider_test"), *super().get_urls()]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        kwargs["form"] = form_for(obj.adapter if obj else request.GET["adapter"])
        return super().get_form(request, obj, change, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("slug", "adapter", "settings_shown", *ON_ITS_PAGE) if obj else ()

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        adapter = obj.adapter if obj else request.GET["adapter"]
        may = self.has_change_permission(request, obj)
        own = names_for(adapter, obj) if may else ["settings_shown"]
        named = ADAPTERS[adapter].label if adapter in ADAPTERS else adapter
        health = [("Health", {"fields": [*ON_ITS_PAGE]})] if obj else []
        return [
            (None, {"fields": ["label", "slug", *(["adapter"] if obj else []), "enabled"]}),
            *([(f"Settings of {named}", {"fields": own})] if own else []),
            ("Licence and limits", {"fields": COMMON[2:]}),
            *health,
        ]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        adapter = ADAPTERS[request.GET["adapter"]]
        taken = set(Provider.objects.filter(adapter=adapter.slug).values_list("slug", flat=True))
        names = (f"{adapter.slug}-{number}" for number in range(2, len(taken) + 3))
        slug = next(name for name in (adapter.slug, *names) if name not in taken)
        return {
            "slug": slug,
            "label": adapter.label,
            "priority": adapter.default_priority,
            "allowed_hosts": list(adapter.default_hosts),
        }

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """First the adapter, then the form with its settings."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        chosen = request.GET.get("adapter", "")
        if chosen not in ADAPTERS:
            choices = [choice(adapter) for adapter in ADAPTERS.values()]
            return self._page(request, "choose", {"title": "Add a provider", "choices": choices})
        label = ADAPTERS[chosen].label
        told = {"title": f"Add a provider: {label}", "adapter": label}
        return super().add_view(request, form_url, {**told, **(extra_context or {})})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        provider = self.get_object(request, unquote(object_id))
        told = {"title": str(provider), "owed": owed_by(provider)} if provider else {}
        return super().change_view(request, object_id, form_url, {**told, **(extra_context or {})})

    def changes(self, form: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Of a secret only that it was set or forgotten, never what to."""
        before, after = super().changes(form)
        there = Provider.objects.filter(pk=form.instance.pk).first()
        held = secrets.held(there) if there else []
        for name in (each.name for each in form.declared if each.secret):
            entered = after.pop(PREFIX + name, None)
            forgotten = after.pop(FORGET + name, None)
            if entered or forgotten:
                before[name] = masks.SET if name in held else masks.NOT_SET
                after[name] = masks.SET_ANEW if entered else masks.NOT_SET
            before.pop(PREFIX + name, None)
            before.pop(FORGET + name, None)
        return before, after

    def write(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Of a row that is there only what the form asks for: its health may change at any moment."""
        if not change:
            obj.save(force_insert=True)
            return
        columns = set(COMMON)
        if any(name.startswith((PREFIX, FORGET)) for name in form.changed_data):
            # As a new address does not inherit the back-off of an old one, nor the pause that it asked for.
            columns |= {"config", "secrets", *health.NOT_BACKING_OFF}
            for name, value in health.NOT_BACKING_OFF.items():
                setattr(obj, name, value)
            sessions.forget_pace(obj.pk)
        obj.save(update_fields=columns)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> HttpResponse:
        messages.success(request, f"{obj} is added{'' if obj.enabled else ', and off until you enable it'}.")
        return redirect(self._url_of(obj, "test" if "_test" in request.POST else "change"))

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        messages.success(request, f"{obj} is saved.")
        return redirect(self._url_of(obj, "test" if "_test" in request.POST else "change"))

    def test_view(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Ask which film, try it out, and show what came of each step."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        provider = self.get_object(request, unquote(slug))
        if provider is None:
            raise Http404(f"There is no provider {unquote(slug)[:60]!r}.")
        sample = ADAPTERS[provider.adapter].sample if provider.adapter in ADAPTERS else SAMPLE
        form = FilmForm(request.POST or None, initial=FilmForm.of(sample))
        context = {"title": f"Test {provider}", "provider": provider, "form": form}
        if form.is_valid():
            report = testing.try_out(provider, form.movie())
            report.steps[0].came = labelled(provider.adapter, report.steps[0].came)
            self.log_change(request, provider, said(report))
            context |= {"report": report}
        return self._page(request, "test", {**context, "owed": owed_by(provider)})

    def _page(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "opts": self.opts, **context}
        return render(request, f"admin/providers/provider/{template}.html", context)

    def _url_of(self, provider: Provider, page: str) -> str:
        name = "provider_test" if page == "test" else "providers_provider_change"
        return reverse(f"{self.admin_site.name}:{name}", args=[quote(provider.pk)])

    @admin.display(description="settings")
    def settings_shown(self, provider: Provider) -> str:
        """For those who may only read: every setting, and of a secret only whether there is one."""
        declared = ADAPTERS[provider.adapter].config_fields if provider.adapter in ADAPTERS else ()
        told = [
            f"{field.label}: {'set' if field.name in secrets.held(provider) else 'not set'}"
            if field.secret
            else f"{field.label}: {provider.config.get(field.name, '')}"
            for field in declared
        ]
        return ", ".join(told) or "—"

    @admin.display(description="state")
    def state(self, provider: Provider) -> SafeString:
        return chart.state(provider, timezone.now())

    @admin.display(description="pace")
    def pace(self, provider: Provider) -> str:
        """As configured, and what a 429 has made of it."""
        try:
            rps, now = sessions.rps_of(provider, conf.current()), sessions.pace_of(provider.pk)
        except ProviderMisconfigured as error:
            return error.message
        slowed = f", slowed to {rps * now.share:.2g} since it asked us to" if now.share < 1 else ""
        paused = f", and not at all for {now.paused_s:.0f} s" if now.paused_s >= 1 else ""
        return f"{rps:g} requests a second{slowed}{paused}"

    @admin.display(description="last seven days")
    def week(self, provider: Provider) -> SafeString:
        return chart.week(provider, timezone.now())

    @admin.display(description="reliability")
    def reliability_shown(self, provider: Provider) -> str:
        asked = provider.last_ok_at or provider.last_error_at
        return f"{provider.reliability:.0%}" if asked else "—"

    @admin.display(description="latency")
    def speed(self, provider: Provider) -> str:
        return f"{provider.latency_ms:.0f} ms" if provider.latency_ms else "—"

    @admin.display(description="last answer")
    def last_ok(self, provider: Provider) -> str:
        return ago(provider.last_ok_at) if provider.last_ok_at else "—"

    @admin.display(description="last error")
    def trouble(self, provider: Provider) -> str:
        if not provider.last_error_at:
            return "—"
        return f"{ago(provider.last_error_at)}: {provider.last_error[:200]}"


def owed_by(provider: Provider) -> list[str]:
    """What it still lacks, in the words of its form."""
    return [labelled(provider.adapter, owed) for owed in readiness.missing(provider)]


def choice(adapter: type[LicensedProvider]) -> dict[str, Any]:
    """An adapter as it is offered."""
    able = adapter.capabilities
    return {
        "slug": adapter.slug,
        "label": adapter.label,
        "about": (inspect.getdoc(adapter) or "").partition("\n")[0],
        "finds_by": " or ".join(words for one, words in FINDS_BY.items() if one in able),
        "delivers": ", ".join(words for one, words in DELIVERS.items() if one in able),
        "needs_licence_note": adapter.needs_licence_note,
    }


def said(report: testing.Report) -> str:
    """A test in one line, for the log."""
    if report.failed is None:
        return f"Tested with {report.movie.title}: it works."
    return f"Tested with {report.movie.title}: {report.failed.name} failed: {report.failed.came}"[:500]
