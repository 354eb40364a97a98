"""The audit in the admin: to search, to read, to take away as JSON lines. No row is changed or deleted here.

An act is shown by the row that says how it ended; the one that was written ahead of it is on its page.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import quote, unquote
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html

from core import audit
from core.admin import RoleAdmin
from core.audit import Action, export
from core.ids import floor_of
from core.models import AuditEntry
from core.roles import Role, has_role
from streaming.admin import cells

TONES = {"done": "good", "refused": "warn", "failed": "bad", "unknown": "bad"}
PAGES = {
    "movie": "streaming_movie_change",
    "provider": "providers_provider_change",
    "run": "ingestion_ingestrun_change",
    "setting": "core_setting_change",
    "account": "auth_user_change",
    "group": "auth_group_change",
    "schedule": "django_celery_beat_periodictask_change",
}
"""Where each kind of thing has its page."""
RELATED_SHOWN = 20
STAFF_SHOWN = 50
MEMBERS_SHOWN = 3


class Ending(admin.SimpleListFilter):
    """How acts ended. Their beginnings are left out, unless one asks for every line."""

    title = "outcome"
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        ends = [(each.value, each.label) for each in AuditEntry.Outcome if each != AuditEntry.Outcome.BEGUN]
        return [*ends, ("begun", "begun: the line ahead of each act")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        return queryset.filter(outcome=chosen) if chosen else queryset.exclude(outcome="begun")


class Day(admin.SimpleListFilter):
    """When it began: by the keys, which are sorted by that. `?day=2026-05-01` is that day."""

    title = "day (UTC)"
    parameter_name = "day"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        days = [timezone.now().date() - timedelta(days=ago) for ago in range(7)]
        named = [(str(day), f"{day:%a %d %b}") for day in days]
        return [*named, ("7", "the last 7 days"), ("30", "the last 30 days")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        word = self.value() or ""
        if word.isascii() and word.isdecimal() and len(word) < 4:
            return queryset.filter(id__gte=floor_of(timezone.now() - timedelta(days=int(word))))
        try:
            start = datetime.combine(date.fromisoformat(word), time(), UTC)
            return queryset.filter(id__gte=floor_of(start), id__lt=floor_of(start + timedelta(days=1)))
        except (ValueError, OverflowError):
            return queryset


class _Exactly(admin.SimpleListFilter):
    """Rows whose column of the parameter's name holds just what was chosen."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        return queryset.filter(**{str(self.parameter_name): chosen}) if chosen else queryset


class Kind(_Exactly):
    title = "kind"
    parameter_name = "target_kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(kind, kind) for kind in dict.fromkeys(action.kind for action in Action)]


class Done(_Exactly):
    """The actions that there are; once a kind is chosen, those of that kind."""

    title = "action"
    parameter_name = "action"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        kind = request.GET.get("target_kind")
        return [(action.value, action.value) for action in Action if not kind or action.kind == kind]


class Actor(_Exactly):
    """The accounts of staff. Anybody else is found by the search, or by a click on their name."""

    title = "who"
    parameter_name = "actor_name"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        staff = get_user_model().objects.filter(is_staff=True).order_by("username")
        names = list(staff.values_list("username", flat=True)[:STAFF_SHOWN])
        chosen = request.GET.get(self.parameter_name)
        return [(name, name) for name in dict.fromkeys([*names, *([chosen] if chosen else [])])]


class SpanForm(forms.Form):
    """From which day to which, both of them included."""

    since = forms.DateField(label="From (UTC)", required=False, widget=forms.DateInput({"type": "date"}))
    until = forms.DateField(label="To (UTC)", required=False, widget=forms.DateInput({"type": "date"}))

    def span(self) -> tuple[datetime | None, datetime | None]:
        since, until = self.cleaned_data["since"], self.cleaned_data["until"]
        begin = datetime.combine(since, time(), UTC) if since else None
        end = datetime.combine(until, time(), UTC) + timedelta(days=1) if until else None
        return begin, end


@admin.register(AuditEntry)
class AuditAdmin(RoleAdmin):
    title = "Audit"
    list_display = ("when", "who", "what", "of_what", "change", "why", "condition", "origin")
    list_display_links = ("what",)
    list_filter = (Day, Actor, Kind, Done, Ending, "door")
    search_fields = tuple(
        f"{name}__exact"
        for name in ("actor_name", "target_key", "target_name", "action", "address", "correlation_id")
    )
    search_help_text = "Exactly: a name, a key such as a TMDB id, an action, an address, or a correlation id"
    ordering = ("-id",)
    linked = ("target_key",)
    sortable_by = ()
    show_full_result_count = False
    list_per_page = 100

    def get_urls(self) -> list[URLPattern]:
        take = self.admin_site.admin_view(self.export_view)
        return [path("export/", take, name="audit_export"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        may = has_role(request.user, Role.OPERATOR)
        return super().changelist_view(request, {"may_export": may, **(extra_context or {})})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The page of one act. Not Django's own: there is no form."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404("There is no such row in the audit.")
        return self._page(request, "page", page_of(row))

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """Ask for which days, then send the lines as they are read. That it was taken is audited as well."""
        if not has_role(request.user, Role.OPERATOR):
            raise PermissionDenied
        form = SpanForm(request.POST if request.method == "POST" else None)
        if not form.is_valid():
            return self._page(request, "export", {"title": "Export the audit", "form": form})
        since, until = form.span()
        audit.record(Action.AUDIT_EXPORT, after={"since": since, "until": until})
        response = StreamingHttpResponse(export.chunks(since, until), content_type="application/jsonl")
        name = f"audit-{timezone.now():%Y-%m-%d}.jsonl"
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        response["Cache-Control"] = "no-store"
        return response

    def _page(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "opts": self.opts, **context}
        return render(request, f"admin/core/auditentry/{template}.html", context)

    @admin.display(description="when")
    def when(self, row: AuditEntry) -> str:
        return cells.since(row.at)

    @admin.display(description="who")
    def who(self, row: AuditEntry) -> str:
        if not row.actor_name:
            return cells.EMPTY
        query = urlencode({"actor_name": row.actor_name})
        return format_html('<a href="?{}">{}</a>', query, row.actor_name)

    @admin.display(description="what")
    def what(self, row: AuditEntry) -> str:
        return row.action

    @admin.display(description="of what")
    def of_what(self, row: AuditEntry) -> str:
        text, url = target_of(row), url_of(row)
        return format_html('<a href="{}">{}</a>', url, text) if url else text

    @admin.display(description="from and to")
    def change(self, row: AuditEntry) -> str:
        sides = sides_of(row)
        told = [f"{name}: {was} → {now}" for name, was, now in sides[:MEMBERS_SHOWN]]
        return ", ".join([*told, *(["…"] if len(sides) > MEMBERS_SHOWN else [])])[:200] or cells.EMPTY

    @admin.display(description="outcome")
    def condition(self, row: AuditEntry) -> str:
        return cells.tag(row.outcome, TONES.get(row.outcome, ""))

    @admin.display(description="from where")
    def origin(self, row: AuditEntry) -> str:
        return f"{row.get_door_display()}, {row.address}" if row.address else row.get_door_display()


def page_of(row: AuditEntry) -> dict[str, Any]:
    """Everything that the page of one row shows. It only reads."""
    same = AuditEntry.objects.filter(correlation_id=row.correlation_id or None).exclude(pk=row.pk)
    return {
        "title": f"{row.action} {target_of(row)}",
        "row": row,
        "tone": TONES.get(row.outcome, ""),
        "target": target_of(row),
        "target_url": url_of(row),
        "sides": sides_of(row),
        "begun": AuditEntry.objects.filter(pk=row.act).exclude(pk=row.pk).first(),
        "related": list(same.exclude(outcome="begun").order_by("-id")[:RELATED_SHOWN]),
        "json": json.dumps(export.body(row), ensure_ascii=False, indent=2),
    }


def target_of(row: AuditEntry) -> str:
    """What it was done to, in words."""
    return " ".join(dict.fromkeys(filter(None, [row.target_key, row.target_name]))) or row.target_kind


def url_of(row: AuditEntry) -> str:
    """The page of what it was done to; "" where there is none."""
    if not row.target_key or row.target_kind not in PAGES:
        return ""
    try:
        return reverse(f"admin:{PAGES[row.target_kind]}", args=[quote(row.target_key)])
    except NoReverseMatch:
        return ""


def list_of(kind: str, key: object) -> str:
    """The address of the list of what was done to one thing."""
    query = urlencode({"target_kind": kind, "target_key": key})
    return f"{reverse('admin:core_auditentry_changelist')}?{query}"


def sides_of(row: AuditEntry) -> list[tuple[str, str, str]]:
    """Each member that changed: its name, what it was, what it is."""
    names = dict.fromkeys([*row.before, *row.after])
    return [(name.replace("_", " "), _shown(row.before, name), _shown(row.after, name)) for name in names]


def _shown(side: dict[str, Any], name: str) -> str:
    value = side.get(name)
    if name not in side or value is None:
        return cells.EMPTY
    return (value or "empty") if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
