"""The pages of the runtime settings, with what a change of the policy would do to the catalogue."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import quote
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from core import conf
from core.admin import SettingAdmin, SettingForm
from core.models import Setting
from ingestion import runs
from ingestion.api.settings import WITHIN_S
from ingestion.models import Job
from streaming import rehearsal


@admin.register(Setting)
class RehearsedSettingAdmin(SettingAdmin):
    """Settings of the policy can be tried before they are saved, and enforced afterwards."""

    def act(self, request: HttpRequest, state: conf.State, form: SettingForm) -> HttpResponse:
        if state.name in rehearsal.SETTINGS and "rehearse" in request.POST:
            return self._rehearse(request, state, form)
        if state.name in rehearsal.SETTINGS and "enforce" in request.POST:
            return self._enforce(request, state)
        return super().act(request, state, form)

    def form_page(
        self, request: HttpRequest, state: conf.State, form: SettingForm, **more: Any
    ) -> HttpResponse:
        more = {"can_rehearse": state.name in rehearsal.SETTINGS, **more}
        return super().form_page(request, state, form, **more)

    def _rehearse(self, request: HttpRequest, state: conf.State, form: SettingForm) -> HttpResponse:
        """Show what would switch under the value in the form, which is not saved."""
        if not form.is_valid():
            return self.form_page(request, state, form)
        try:
            before = conf.current()
            after = conf.with_change(before, state.name, form.cleaned_data["value"])
        except conf.OptionError as error:
            form.add_error("value", str(error))
            return self.form_page(request, state, form)
        found = rehearsal.rehearse(before, after, at=timezone.now(), within_s=WITHIN_S)
        value = form.cleaned_data["value"]
        more = {"found": found, "tried": value, "counts": _counts(found), "in_force": before == after}
        return self.form_page(request, state, form, policy=rehearsal.policy_of(after), **more)

    def _enforce(self, request: HttpRequest, state: conf.State) -> HttpResponse:
        """Enforce what was rehearsed, as long as that is what is in force."""
        if request.POST["enforce"] != rehearsal.policy_of(conf.current()):
            messages.error(request, "The settings have changed since: see once more what would switch.")
            return redirect(self._url(state.name))
        who = request.user.get_username()
        run, _ = runs.ask(Job.ENFORCE, at=timezone.now(), trigger="admin", by=who)
        messages.success(request, "The settings in force are being enforced. This is the run.")
        return redirect(reverse("admin:ingestion_ingestrun_change", args=[quote(str(run.pk))]))


def _counts(found: rehearsal.Rehearsal) -> list[tuple[str, int, int]]:
    """Each effect in words, how many movies it is by itself, and how many more if it is enforced."""
    rows = [
        (effect.value, found.effects[effect, False], found.effects[effect, True])
        for effect in rehearsal.Effect
    ]
    return [row for row in rows if row[1] or row[2]]
