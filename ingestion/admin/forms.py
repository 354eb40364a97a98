"""What an editor is asked before something is done. Every form carries the turn that its page showed."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from django import forms
from django.utils import timezone

from streaming.models import QUALITY_CHOICES
from streaming.plans import Suppression

KEEP_OUT = [
    (
        Suppression.FOREVER.value,
        "Keep the stream that is left out for good (the next refresh will not bring it back)",
    ),
    (Suppression.UNTIL.value, "Keep it out until a date"),
    (Suppression.NONE.value, "Do not keep it out: the next refresh may choose it again"),
]


class ActForm(forms.Form):
    """A reason, and the turn on which the editor's picture rests (`if_seq`)."""

    required_css_class = "required"
    reason = forms.CharField(
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="It goes into the switch log, for colleagues. Viewers never see it.",
    )
    if_seq = forms.IntegerField(min_value=0, widget=forms.HiddenInput)


class ActivateForm(ActForm):
    pin = forms.BooleanField(
        required=False,
        help_text="Nothing better replaces it by itself. If it breaks, Marquee still moves on.",
    )
    suppress_current = forms.BooleanField(required=False, label="Keep the stream that is left out for good")


class UntilForm(ActForm):
    """A form with a date that counts only for one choice of `kind_field`."""

    kind_field = "suppress"
    until = forms.DateTimeField(
        required=False,
        label="Until (UTC)",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text="Only for “until a date”.",
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get(self.kind_field) != Suppression.UNTIL:
            data["until"] = None
        elif not self.errors.get("until"):
            self._check_until(data)
        return data

    def _check_until(self, data: dict[str, Any]) -> None:
        until = data.get("until")
        if until is None:
            self.add_error("until", "Say until when.")
        elif until.astimezone(UTC) <= timezone.now():
            self.add_error("until", "This lies in the past.")


class RollbackForm(UntilForm):
    suppress = forms.ChoiceField(
        label="The stream that is left",
        choices=KEEP_OUT,
        widget=forms.RadioSelect,
        initial=Suppression.FOREVER.value,
    )
    pin = forms.BooleanField(
        required=False,
        label="Pin the stream that comes back",
        help_text="Nothing better replaces it by itself.",
    )
    field_order = ("reason", "suppress", "until", "pin", "if_seq")


class SuppressForm(UntilForm):
    suppress = forms.ChoiceField(
        label="For how long",
        choices=[("forever", "For good"), ("until", "Until a date")],
        initial="forever",
        widget=forms.RadioSelect,
    )
    field_order = ("reason", "suppress", "until", "if_seq")


class WordForm(ActForm):
    """An editor's standing word on a movie."""

    hidden = forms.BooleanField(required=False, help_text="Viewers do not find it, and open players close.")
    pinned = forms.BooleanField(
        required=False, help_text="Nothing better replaces the active stream by itself."
    )
    target_quality = forms.TypedChoiceField(
        required=False,
        coerce=int,
        empty_value=None,
        choices=[("", "As in the settings"), *QUALITY_CHOICES],
        help_text="The search for better streams ends here.",
    )
    field_order = ("hidden", "pinned", "target_quality", "reason", "if_seq")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = False
