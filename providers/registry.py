"""Every adapter there is, by slug. A new adapter is one file and one line here.

No discovery and no import magic: what runs is what is listed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from providers.adapters.archive import Archive
from providers.adapters.autoembed import AutoEmbed
from providers.adapters.catalogue import Catalogue
from providers.adapters.embedsu import EmbedSu
from providers.adapters.library import Library
from providers.adapters.multiembed import MultiEmbed
from providers.adapters.twoembed import TwoEmbed
from providers.base import LicensedProvider
from providers.errors import ProviderMisconfigured
from providers.options import problems

ADAPTERS: Final[Mapping[str, type[LicensedProvider]]] = {
    adapter.slug: adapter
    for adapter in (Library, Catalogue, Archive, AutoEmbed, TwoEmbed, MultiEmbed, EmbedSu)
}


def make_provider(adapter: str, config: Mapping[str, object], *, name: str = "") -> LicensedProvider:
    """A configured provider. Raises ProviderMisconfigured on an unknown adapter or a wrong setting."""
    if adapter not in ADAPTERS:
        raise ProviderMisconfigured(_unknown(adapter), provider=name)
    return ADAPTERS[adapter](config, name=name)


def missing(adapter: str, config: Mapping[str, object], *, licence_note: str) -> tuple[str, ...]:
    """What is still owed before such a provider may be asked for anything, a sentence for each; () for none.

    `config` holds its secrets, too.
    """
    if adapter not in ADAPTERS:
        return (_unknown(adapter),)
    owed = problems(ADAPTERS[adapter].config_fields, config)
    if ADAPTERS[adapter].needs_licence_note and not licence_note.strip():
        owed += ("licence_note is required: the licence that lets you stream from here",)
    return owed


def _unknown(adapter: str) -> str:
    return f"unknown adapter {adapter!r}; there are: {', '.join(sorted(ADAPTERS))}"
