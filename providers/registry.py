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

ADAPTERS: Final[Mapping[str, type[LicensedProvider]]] = {
    adapter.slug: adapter
    for adapter in (Library, Catalogue, Archive, AutoEmbed, TwoEmbed, MultiEmbed, EmbedSu)
}


def make_provider(adapter: str, config: Mapping[str, object], *, name: str = "") -> LicensedProvider:
    """A configured provider. Raises ProviderMisconfigured on an unknown adapter or a wrong setting."""
    if adapter not in ADAPTERS:
        raise ProviderMisconfigured(unknown(adapter), provider=name)
    return ADAPTERS[adapter](config, name=name)


def unknown(adapter: str) -> str:
    """What to say of an adapter that there is not."""
    return f"unknown adapter {adapter!r}; there are: {', '.join(sorted(ADAPTERS))}"
