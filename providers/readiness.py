"""What a configured provider still lacks before it may be asked for anything. Nothing is written or sent.

The one home of that question: the search, the system check, the admin and the API all ask it here.
"""

from __future__ import annotations

from collections.abc import Mapping

from providers import registry, secrets
from providers.base import LicensedProvider
from providers.errors import ProviderMisconfigured
from providers.models import Provider
from providers.options import problems


def missing(provider: Provider) -> tuple[str, ...]:
    """What is still owed, a sentence for each, without the value of any secret; () when nothing is."""
    try:
        return _missing(provider, _config(provider))
    except ProviderMisconfigured as error:
        return (error.message,)


def adapter_of(provider: Provider) -> LicensedProvider:
    """The adapter, configured, its secrets decrypted. Raises ProviderMisconfigured while anything is owed."""
    config = _config(provider)
    if owed := _missing(provider, config):
        raise ProviderMisconfigured(owed[0], provider=provider.slug)
    return registry.make_provider(provider.adapter, config, name=provider.slug)


def _missing(provider: Provider, config: Mapping[str, object]) -> tuple[str, ...]:
    adapter = registry.ADAPTERS.get(provider.adapter)
    if adapter is None:
        return (registry.unknown(provider.adapter),)
    owed = problems(adapter.config_fields, config)
    if adapter.needs_licence_note and not provider.licence_note.strip():
        owed += ("licence_note is required: the licence that lets you stream from here",)
    return owed


def _config(provider: Provider) -> dict[str, object]:
    return {**provider.config, **secrets.reveal(provider)}
