"""The admin by role: viewers read everything, each model names who may change it, nothing is ever deleted.

Here too: the runtime settings, changed through `core.conf` alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from core import conf
from core.models import Setting
from core.roles import Role, has_role

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = admin.ModelAdmin


class RoleAdmin(ModelAdmin):
    """Read for viewers, change for `changed_by` (None: for nobody). `title` heads the list."""

    title = ""
    changed_by: Role | None = None
    actions = None
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return super().changelist_view(request, {"title": self.title, **(extra_context or {})})

    def has_module_permission(self, request: HttpRequest) -> bool:
        return has_role(request.user, Role.VIEWER)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return has_role(request.user, Role.VIEWER)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.changed_by is not None and has_role(request.user, self.changed_by)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class SettingForm(forms.Form):
    """One runtime setting; what it takes is checked where it is declared (`core.options`)."""

    def __init__(self, data: Any = None, *, state: conf.State) -> None:
        super().__init__(data, initial={"value": _shown(state.value)})
        choices = _choices(state)
        field = forms.ChoiceField(choices=choices) if choices else forms.CharField(required=False)
        field.label, field.help_text = "Value", f"{state.help} Allowed: {state.allowed}."
        self.fields["value"] = field


@admin.register(Setting)
class SettingAdmin(RoleAdmin):
    """All settings on one page, each with where its value comes from."""

    changed_by = Role.OPERATOR

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        self._check(self.has_view_permission(request))
        rows = [
            (state, _shown(state.value), _shown(state.default), self._url(state.name))
            for state in conf.describe()
        ]
        context = {"title": "Settings", "rows": rows, "may_change": self.has_change_permission(request)}
        return self._page(request, "admin/core/settings.html", context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The page of one setting. Not Django's own: that would write the row past `core.conf`."""
        self._check(self.has_view_permission(request))
        state = next((state for state in conf.describe() if state.name == unquote(object_id)), None)
        if state is None:
            raise Http404(f"There is no setting {unquote(object_id)[:60]!r}.")
        if request.method != "POST":
            return self._form_page(request, state, SettingForm(state=state))
        self._check(self.has_change_permission(request))
        form = SettingForm(request.POST, state=state)
        try:
            said = self._write(request, state, form)
        except conf.OptionError as error:
            form.add_error("value", str(error))
        if form.errors:
            return self._form_page(request, state, form)
        self.log_change(request, Setting(name=state.name), said)
        messages.success(request, said)
        return redirect(self._url())

    def _write(self, request: HttpRequest, state: conf.State, form: SettingForm) -> str:
        if "reset" in request.POST:
            form.errors.clear()
            back = conf.reset(state.name, by=request.user.get_username(), at=timezone.now())
            return f"{state.name} is {_shown(back.value)} again."
        if not form.is_valid():
            return ""
        who = request.user.get_username()
        changed = conf.change(state.name, form.cleaned_data["value"], by=who, at=timezone.now())
        return (
            f"{state.name} was {_shown(state.value) or 'empty'}, is now {_shown(changed.value) or 'empty'}."
        )

    def _form_page(self, request: HttpRequest, state: conf.State, form: SettingForm) -> HttpResponse:
        may = self.has_change_permission(request)
        context = {"title": state.name, "state": state, "form": form, "may_change": may, "back": self._url()}
        return self._page(request, "admin/core/setting.html", context | {"default": _shown(state.default)})

    def _page(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        return render(request, template, {**self.admin_site.each_context(request), **context})

    def _url(self, name: str = "") -> str:
        where = ("changelist", []) if not name else ("change", [quote(name)])
        return reverse(f"{self.admin_site.name}:core_setting_{where[0]}", args=where[1])

    @staticmethod
    def _check(allowed: bool) -> None:
        if not allowed:
            raise PermissionDenied


def _choices(state: conf.State) -> list[tuple[str, str]]:
    if state.kind == "boolean":
        return [("true", "true"), ("false", "false")]
    if state.kind == "choice":
        return [(word, word) for word in state.allowed.removeprefix("one of ").split(", ")]
    return []


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
