"""Every adapter there is, by slug. A new adapter is one file and one line here.

No discovery and no import magic: what runs is what is listed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from providers.adapters.autoembed import AutoEmbed
from providers.adapters.embedsu import EmbedSu
from providers.adapters.library import Library
from providers.adapters.multiembed import MultiEmbed
from providers.adapters.twoembed import TwoEmbed
from providers.base import LicensedProvider
from providers.errors import ProviderMisconfigured

ADAPTERS: Final[Mapping[str, type[LicensedProvider]]] = {
    adapter.slug: adapter for adapter in (Library, AutoEmbed, TwoEmbed, MultiEmbed, EmbedSu)
}


def make_provider(adapter: str, config: Mapping[str, object], *, name: str = "") -> LicensedProvider:
    """A configured provider. Raises ProviderMisconfigured on an unknown adapter or a wrong setting."""
    if adapter not in ADAPTERS:
        known = ", ".join(sorted(ADAPTERS))
        raise ProviderMisconfigured(f"unknown adapter {adapter!r}; there are: {known}", provider=name)
    return ADAPTERS[adapter](config, name=name)
