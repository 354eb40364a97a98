"""The form of a provider: its adapter's own settings as fields. A secret is never shown again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.html import escape

from providers.errors import ProviderMisconfigured
from providers.models import Provider
from providers.options import ConfigField, ConfigKind
from providers.registry import ADAPTERS, make_provider

if TYPE_CHECKING:
    ModelForm = forms.ModelForm[Provider]
else:
    ModelForm = forms.ModelForm

PREFIX = "config_"
_HOST = re.compile(r"(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")


class Lines(forms.CharField):
    """A list of host names, one per line, stored as a list."""

    widget = forms.Textarea(attrs={"rows": 3})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        return [line.strip().lower() for line in str(value or "").splitlines() if line.strip()]

    def validate(self, value: Any) -> None:
        super().validate(value)
        if wrong := [host for host in value if not _HOST.fullmatch(host)]:
            raise forms.ValidationError(f"{wrong[0]!r} is no host name such as media.example.org.")


class ProviderForm(ModelForm):
    """What every provider has; `form_for` adds what its adapter declares."""

    declared: tuple[ConfigField, ...] = ()
    allowed_hosts = Lines(
        required=False, help_text="Hosts that its streams may be on, one per line. Empty: any public host."
    )

    rate_limit_rps = forms.FloatField(
        required=False,
        min_value=0.01,
        max_value=1000,
        help_text="Requests per second. Empty: RATE_LIMIT_RPS.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for declared in self.declared:
            if not declared.secret and PREFIX + declared.name in self.fields:
                self.fields[PREFIX + declared.name].initial = self.instance.config.get(
                    declared.name, declared.default
                )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        config = dict(self.instance.config)
        for declared in self.declared:
            given = data.get(PREFIX + declared.name)
            if given in (None, ""):
                if not declared.secret:
                    config.pop(declared.name, None)
                continue
            config[declared.name] = given
        self._check(config, enabled=bool(data.get("enabled")))
        self.instance.config = config
        return data

    def _check(self, config: dict[str, Any], *, enabled: bool) -> None:
        """A provider that is off may be half set up; one that is on has to be complete."""
        try:
            if enabled or config:
                make_provider(self.instance.adapter, config, name=self.instance.slug)
        except ProviderMisconfigured as error:
            self.add_error(None, error.message)


def form_for(adapter: str) -> type[ProviderForm]:
    """The form with the settings that this adapter declares. An unknown adapter declares none."""
    declared = ADAPTERS[adapter].config_fields if adapter in ADAPTERS else ()
    fields = {PREFIX + field.name: _form_field(field) for field in declared}
    return type("ConfiguredProviderForm", (ProviderForm,), {"declared": declared, **fields})


def _form_field(field: ConfigField) -> forms.Field:
    wording: dict[str, Any] = {"label": field.label, "help_text": escape(field.help), "required": False}
    if field.kind is ConfigKind.BOOLEAN:
        return forms.BooleanField(**wording)
    if field.secret:
        wording["help_text"] = f"{escape(field.help)} Empty: it stays as it is."
        return forms.CharField(widget=forms.PasswordInput(attrs={"autocomplete": "off"}), **wording)
    if field.kind is ConfigKind.INTEGER:
        return forms.IntegerField(**wording)
    return forms.CharField(**wording)
