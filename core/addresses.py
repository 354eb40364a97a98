"""Whose request it is, when proxies stand in between: what a trusted one says of the hop before it counts.

Values in, values out. Which proxies are trusted is TRUSTED_PROXIES' word, and by default none is.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from django.http import HttpRequest

if TYPE_CHECKING:
    from rest_framework.request import Request

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

SUBSCRIBER_BITS = 64
"""Of IPv6, one subscriber has at least this large a network: 2^64 addresses to choose from."""


def networks(entries: Iterable[str]) -> tuple[Network, ...]:
    """TRUSTED_PROXIES: addresses (192.0.2.7), networks (10.0.0.0/8). ValueError names what is neither."""
    return tuple(_network(entry) for entry in entries)


def parse(text: str) -> Address | None:
    """An address as peers and proxies write it: also with a port, in brackets or a zone. None: it is none.

    An IPv4 address that is mapped into IPv6 is that IPv4 address.
    """
    host = text.strip()
    if host.startswith("["):
        host, _, port = host[1:].partition("]")
        if port and not _is_port(port):
            return None
    elif host.count(":") == 1:
        host, _, port = host.partition(":")
        if not _is_port(f":{port}"):
            return None
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, ipaddress.IPv6Address) else address


def trusts(address: Address | None, trusted: Sequence[Network]) -> bool:
    return address is not None and any(address in network for network in trusted)


def caller(peer: str, forwarded_for: str, trusted: Sequence[Network]) -> str:
    """The nearest hop that is not trusted, read from the right: whoever is further away can write anything.

    `forwarded_for` is X-Forwarded-For, to which each proxy adds whom it heard. What is no address ends the
    walk: the proxy that passed it on is then the caller.
    """
    at = parse(peer)
    for hop in reversed(forwarded_for.split(",")):
        before = parse(hop)
        if before is None or not trusts(at, trusted):
            break
        at = before
    return peer if at is None else str(at)


def network_of(address: str) -> str:
    """Whom to count a request for: the address; of IPv6 the subscriber's network; "" for no address."""
    ip = parse(address)
    if isinstance(ip, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((ip, SUBSCRIBER_BITS), strict=False).network_address)
    return "" if ip is None else str(ip)


def address_of(request: HttpRequest | Request) -> str:
    """The peer, or whom a trusted proxy says it speaks for: config.edge sees to that, no header here.

    Of IPv6 the network: whoever has one address there has 2^64.
    """
    return network_of(str(request.META.get("REMOTE_ADDR") or "")) or "unknown"


def _network(entry: str) -> Network:
    try:
        return ipaddress.ip_network(entry)
    except ValueError:
        raise ValueError(f"{entry[:60]!r} is no address and no network") from None


def _is_port(text: str) -> bool:
    return text.startswith(":") and text[1:].isascii() and text[1:].isdigit()
