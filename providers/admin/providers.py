"""The list of providers with their health, and the page on which an operator sets one up."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core.admin import RoleAdmin
from core.roles import Role
from core.templatetags.ago import ago
from providers.admin.forms import PREFIX, ProviderForm, form_for
from providers.models import Provider
from providers.registry import ADAPTERS


@admin.register(Provider)
class ProviderAdmin(RoleAdmin):
    title = "Providers"
    changed_by = Role.OPERATOR
    form = ProviderForm
    list_display = (
        "label",
        "adapter",
        "state",
        "priority",
        "reliability_shown",
        "speed",
        "last_ok",
        "trouble",
    )
    ordering = ("priority", "slug")
    readonly_fields = (
        "slug",
        "adapter",
        "settings_shown",
        "state",
        "reliability_shown",
        "speed",
        "last_ok",
        "trouble",
    )

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        kwargs["form"] = form_for(obj.adapter if obj else "")
        return super().get_form(request, obj, change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        declared = ADAPTERS[obj.adapter].config_fields if obj and obj.adapter in ADAPTERS else ()
        may = self.has_change_permission(request, obj)
        own = [PREFIX + field.name for field in declared] if may else ["settings_shown"]
        return [
            (None, {"fields": ["label", "slug", "adapter", "enabled"]}),
            *([(f"Settings of the adapter {obj.adapter}", {"fields": own})] if own else []),
            ("Licence and limits", {"fields": [
                "licence_note", "allowed_hosts", "priority", "rate_limit_rps", "trust_claims"
            ]}),
            ("Health", {"fields": ["state", "reliability_shown", "speed", "last_ok", "trouble"]}),
        ]  # fmt: skip

    @admin.display(description="settings")
    def settings_shown(self, provider: Provider) -> str:
        """For those who may only read: every setting but the secrets."""
        declared = ADAPTERS[provider.adapter].config_fields if provider.adapter in ADAPTERS else ()
        told = [
            f"{field.label}: {provider.config.get(field.name, '')}" for field in declared if not field.secret
        ]
        return ", ".join(told) or "—"

    @admin.display(description="state")
    def state(self, provider: Provider) -> SafeString:
        now = timezone.now()
        if not provider.enabled:
            return _tag("off", "")
        if provider.backoff_until and provider.backoff_until > now:
            return _tag(f"backing off, asked again {ago(provider.backoff_until)}", "warn")
        return _tag("on", "good")

    @admin.display(description="reliability")
    def reliability_shown(self, provider: Provider) -> str:
        return f"{provider.reliability:.0%}"

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


def _tag(text: str, tone: str) -> SafeString:
    return format_html('<span class="tag{}">{}</span>', f" tag-{tone}" if tone else "", text)
