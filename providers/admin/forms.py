"""The forms of a provider: its adapter's own settings as fields, and the film of a test.

A secret goes in and never comes out: no form renders one, and the instance holds its token alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from django import forms
from django.utils.html import escape

from core.options import QUALITIES
from core.routes import LARGEST_ID
from core.templatetags.ago import ago
from providers import options, readiness, secrets, sessions
from providers.base import Capability
from providers.errors import ProviderMisconfigured
from providers.models import Provider
from providers.options import ConfigField, ConfigKind
from providers.registry import ADAPTERS
from providers.types import MovieRef

if TYPE_CHECKING:
    ModelForm = forms.ModelForm[Provider]
else:
    ModelForm = forms.ModelForm

EMBED_HOSTS = "Hosts that its pages may be on, one per line, beside that of the base URL."
PREFIX = "config_"
FORGET = "forget_"
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

    adapter: ClassVar[str] = ""
    declared: ClassVar[tuple[ConfigField, ...]] = ()
    allowed_hosts = Lines(
        required=False, help_text="Hosts that its streams may be on, one per line. Empty: any public host."
    )
    licence_note = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="The licence that lets us stream from here; for colleagues, viewers never see it.",
    )
    rate_limit_rps = forms.FloatField(
        required=False,
        min_value=0.01,
        max_value=1000,
        label="Requests per second",
        help_text="Empty: RATE_LIMIT_RPS, as in the settings.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        adapter = ADAPTERS.get(self.adapter or self.instance.adapter)
        if adapter and Capability.EMBED in adapter.capabilities and "allowed_hosts" in self.fields:
            self.fields["allowed_hosts"].help_text = EMBED_HOSTS
        for declared in self.declared:
            if declared.secret:
                self._tell_of_secret(declared)
            elif PREFIX + declared.name in self.fields:
                value = self.instance.config.get(declared.name, declared.default)
                self.fields[PREFIX + declared.name].initial = value

    def _tell_of_secret(self, declared: ConfigField) -> None:
        """Whether there is one, and since when; for those who may change it."""
        if PREFIX + declared.name not in self.fields:
            return
        if declared.name in secrets.held(self.instance):
            when = secrets.set_at(self.instance.secrets.get(declared.name))
            state = f"Set{f' {ago(when)}' if when else ''}; it is not shown again. Empty: it stays as it is."
        else:
            state = "Not set."
        self.fields[PREFIX + declared.name].help_text = f"{escape(declared.help)} {state}"

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        entered = {field.name: data.get(PREFIX + field.name) for field in self.declared}
        for field in self.declared:
            if entered[field.name] not in (None, ""):
                for problem in options.problems((field,), {field.name: entered[field.name]}):
                    self.add_error(PREFIX + field.name, problem)
        if not self.errors:
            self._keep_secrets_at_home(entered, data)
        if not self.errors:
            self._take(entered, data)
        if not self.errors and data.get("enabled"):
            self._check_complete(data)
        return data

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"]
        if slug == sessions.TMDB:
            raise forms.ValidationError("That name is TMDB's own: its pace is kept under it. Take another.")
        return slug

    def _keep_secrets_at_home(self, entered: Mapping[str, Any], data: Mapping[str, Any]) -> None:
        """A secret that nobody is shown must not be drawn out by sending it to an address of one's own."""
        urls = [field.name for field in self.declared if field.kind is ConfigKind.URL]
        before = [_place(self.instance.config.get(name)) for name in urls]
        if before == [_place(entered[name]) for name in urls]:
            return
        for name in secrets.held(self.instance):
            if PREFIX + name in self.fields and not entered.get(name) and not data.get(FORGET + name):
                self.add_error(PREFIX + name, "The address is another one: enter this again, or forget it.")

    def _take(self, entered: Mapping[str, Any], data: Mapping[str, Any]) -> None:
        """The settings into the instance. Those of an adapter that is gone stay as they are."""
        made = self.instance
        made.slug, made.adapter = made.slug or data["slug"], made.adapter or self.adapter
        if made.adapter not in ADAPTERS:
            return
        try:
            tokens = dict(self._tokens(entered, data))
        except ProviderMisconfigured as error:
            self.add_error(None, error.message)
            return
        plain = [field.name for field in self.declared if not field.secret]
        made.config = {name: entered[name] for name in plain if entered[name] not in (None, "")}
        made.secrets = tokens

    def _tokens(self, entered: Mapping[str, Any], data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        for name in (field.name for field in self.declared if field.secret):
            if entered[name]:
                yield name, secrets.seal(self.instance.slug, name, entered[name])
            elif data.get(FORGET + name):
                continue
            elif name in self.instance.secrets:
                yield name, self.instance.secrets[name]
            elif name in self.instance.config:
                yield name, secrets.seal(self.instance.slug, name, str(self.instance.config[name]))

    def _check_complete(self, data: Mapping[str, Any]) -> None:
        """A provider that is off may be half set up; one that is on has to be complete."""
        self.instance.licence_note = data.get("licence_note", "")
        for owed in readiness.missing(self.instance):
            name = owed.partition(" ")[0]
            known = [field for field in (PREFIX + name, name) if field in self.fields]
            said = labelled(self.instance.adapter, owed)
            self.add_error(known[0] if known else None, f"Before it can be enabled: {said}.")


class FilmForm(forms.Form):
    """Which film a test searches for."""

    title = forms.CharField(max_length=200)
    year = forms.IntegerField(required=False, min_value=1870, max_value=2200)
    tmdb_id = forms.IntegerField(label="TMDB id", min_value=1, max_value=LARGEST_ID)
    imdb_id = forms.RegexField(
        r"^tt\d{7,10}$",
        label="IMDb id",
        required=False,
        error_messages={"invalid": "An IMDb id is tt and 7 to 10 digits, such as tt1254207."},
    )

    @staticmethod
    def of(movie: MovieRef) -> dict[str, Any]:
        """A film as initial values."""
        return {name: getattr(movie, name) for name in FilmForm.base_fields}

    def movie(self) -> MovieRef:
        """The film of a valid form."""
        data = self.cleaned_data
        return MovieRef(
            tmdb_id=data["tmdb_id"], title=data["title"], imdb_id=data["imdb_id"] or None, year=data["year"]
        )


def labelled(adapter: str, owed: str) -> str:
    """What is owed, where it begins with a setting's name: called as the form calls it."""
    declared = ADAPTERS[adapter].config_fields if adapter in ADAPTERS else ()
    labels = {field.name: field.label for field in declared} | {"licence_note": "Licence note"}
    name, _, rest = owed.partition(" ")
    return f"{labels.get(name, name)} {rest}"


def form_for(adapter: str) -> type[ProviderForm]:
    """The form with the settings that this adapter declares. An unknown adapter declares none."""
    declared = ADAPTERS[adapter].config_fields if adapter in ADAPTERS else ()
    fields = {name: field for each in declared for name, field in _form_fields(each)}
    members = {"adapter": adapter, "declared": declared, **fields}
    return type("ConfiguredProviderForm", (ProviderForm,), members)


def names_for(adapter: str, provider: Provider | None = None) -> list[str]:
    """The names of those fields in order. Only a secret that there is can be forgotten."""
    held = secrets.held(provider) if provider else []
    declared = ADAPTERS[adapter].config_fields if adapter in ADAPTERS else ()
    names = [name for each in declared for name, _ in _form_fields(each)]
    return [name for name in names if not name.startswith(FORGET) or name.removeprefix(FORGET) in held]


def _form_fields(field: ConfigField) -> Iterator[tuple[str, forms.Field]]:
    yield PREFIX + field.name, _form_field(field)
    if field.secret:
        yield FORGET + field.name, forms.BooleanField(label=f"Forget: {field.label}", required=False)


def _form_field(field: ConfigField) -> forms.Field:
    needed = " Needed before it can be enabled." if field.required and field.default is None else ""
    wording: dict[str, Any] = {
        "label": field.label,
        "help_text": escape(field.help) + needed,
        "required": False,
    }
    if field.kind is ConfigKind.BOOLEAN:
        return forms.BooleanField(**wording)
    if field.secret:
        return forms.CharField(widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}), **wording)
    if field.kind is ConfigKind.QUALITY:
        return forms.ChoiceField(choices=[("", "—"), *((word, word) for word in QUALITIES)], **wording)
    if field.kind is ConfigKind.INTEGER:
        return forms.IntegerField(**wording)
    return forms.CharField(**wording)


def _place(url: Any) -> tuple[str, str]:
    """Scheme, host and port of a URL as it was entered."""
    parts = urlsplit(str(url or ""))
    return parts.scheme, parts.netloc.lower()
