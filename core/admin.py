"""The admin by role: viewers read everything, each model names who may change it, nothing is ever deleted.

Here too: the pages of the runtime settings, changed through `core.conf` alone; and accounts, whose names are
folded.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import quote, unquote
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from core import audit, conf, history, options
from core.audit import Action
from core.models import Setting
from core.names import fold
from core.roles import Role, has_role

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = admin.ModelAdmin


class RoleAdmin(ModelAdmin):
    """Read for viewers, change for `changed_by` (None: for nobody). `title` heads the list, `linked` are
    columns by which links elsewhere narrow it down, beside its filters."""

    title = ""
    linked: tuple[str, ...] = ()
    changed_by: Role | None = None
    audited = ""
    """The kind of its rows in the audit (`core.audit.Action`), if they are changed by a form of Django's."""
    actions = None
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return super().changelist_view(request, {"title": self.title, **(extra_context or {})})

    def lookup_allowed(self, lookup: str, value: str, request: Any = None) -> bool:
        """What is offered, and no more: Django lets any column be asked anything, be it dear or an error."""
        filters = {getattr(each, "parameter_name", each) for each in self.list_filter}
        column, _, how = lookup.partition("__")
        return column in {*filters, *self.linked} and how in (
            "",
            "exact",
            "isnull",
            "gte",
            "lt",
            "slug__exact",
        )

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

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """What `save_model` begins ends here, when Django's transaction is over."""
        with ExitStack() as acts:
            request.acts = acts  # type: ignore[attr-defined]
            return super().changeform_view(request, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Write it down, then write it."""
        action = Action(f"{self.audited}.{'change' if change else 'add'}")
        begun = audit.act(action, obj.pk, name=str(obj))
        deed = request.acts.enter_context(begun)  # type: ignore[attr-defined]
        deed.changed(*self.changes(form))
        self.write(request, obj, form, change)

    def write(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)

    def changes(self, form: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """From what to what a form that is valid changes its row. No secrets."""
        names = form.changed_data
        before = {name: form.get_initial_for_field(form.fields[name], name) for name in names}
        return before, {name: form.cleaned_data.get(name) for name in names}


class SettingForm(forms.Form):
    """One runtime setting; what it takes is checked where it is declared (`core.options`)."""

    comment = forms.CharField(label="Why", max_length=300, required=False)

    def __init__(self, data: Any = None, *, state: conf.State) -> None:
        super().__init__(data, initial={"value": shown(state.value)})
        choices = _choices(state)
        field = forms.ChoiceField(choices=choices) if choices else forms.CharField(required=False)
        field.label, field.help_text = "Value", f"{state.help} Allowed: {state.allowed}."
        self.fields = {"value": field, **self.fields}


class SettingAdmin(RoleAdmin):
    """All settings on one page, each with where its value comes from; and one with its history.

    `ingestion.admin.settings` registers it, and adds what a change would do to the catalogue.
    """

    changed_by = Role.OPERATOR

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        self._check(self.has_view_permission(request))
        rows = [(state, self._url(state.name)) for state in conf.describe()]
        context = {"title": "Settings", "rows": rows, "may_change": self.has_change_permission(request)}
        return self._page(request, "admin/core/settings.html", context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The page of one setting. Not Django's own: that would write the row past `core.conf`."""
        self._check(self.has_view_permission(request))
        name = unquote(object_id)
        if name not in options.NAMES:
            raise Http404(f"There is no setting {name[:60]!r}.")
        state = conf.state(name)
        if request.method != "POST":
            return self.form_page(request, state, SettingForm(state=state))
        self._check(self.has_change_permission(request))
        return self.act(request, state, SettingForm(request.POST, state=state))

    def act(self, request: HttpRequest, state: conf.State, form: SettingForm) -> HttpResponse:
        """Do what the button says that was pressed, and show the setting as it is then."""
        try:
            now = self._write(request, state, form)
        except (conf.OptionError, history.UnknownChange, history.Contended) as error:
            form.add_error("value", str(error))
        if form.errors:
            return self.form_page(request, state, form)
        said = f"{state.name} was {shown(state.value) or 'empty'}, is now {shown(now.value) or 'empty'}."
        self.log_change(request, Setting(name=state.name), said)
        messages.success(request, said)
        return redirect(self._url(state.name))

    def form_page(
        self, request: HttpRequest, state: conf.State, form: SettingForm, **more: Any
    ) -> HttpResponse:
        context = {
            "title": state.name,
            "state": state,
            "form": form,
            "may_change": self.has_change_permission(request),
            "back": self._url(),
            "history": history.of(state.name),
        }
        return self._page(request, "admin/core/setting.html", context | more)

    def _write(self, request: HttpRequest, state: conf.State, form: SettingForm) -> conf.State:
        """Raises OptionError, UnknownChange, Contended. What a form that is wrong says is not written."""
        said: dict[str, Any] = {"by": request.user.get_username(), "at": timezone.now()}
        said["comment"] = request.POST.get("comment", "")[:300]
        to = request.POST.get("revert", "")
        if to.isascii() and to.isdigit():
            form.errors.clear()
            return conf.revert(state.name, int(to[:9]), **said)
        if "reset" in request.POST:
            form.errors.clear()
            return conf.reset(state.name, **said)
        return conf.change(state.name, form.cleaned_data["value"], **said) if form.is_valid() else state

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


def shown(value: Any) -> str:
    """A setting's value as a form takes it back."""
    return str(value).lower() if isinstance(value, bool) else str(value)


class FoldedName:
    """A form whose name is folded before it is compared with those that there are."""

    cleaned_data: dict[str, Any]

    def clean_username(self) -> str:
        return fold(self.cleaned_data["username"])


class AccountForm(FoldedName, UserChangeForm):  # type: ignore[type-arg]
    pass


class NewAccountForm(FoldedName, AdminUserCreationForm):  # type: ignore[type-arg]
    pass


admin.site.unregister(User)


@admin.register(User)
class AccountAdmin(UserAdmin):  # type: ignore[type-arg]
    form = AccountForm
    add_form = NewAccountForm
