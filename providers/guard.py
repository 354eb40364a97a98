"""Where our own requests may go: public addresses, ports 80 and 443, trusted origins, an allow-list of hosts.

Values in, verdicts out. Nothing is looked up or sent here; providers/transport.py asks before it connects.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urlsplit

import idna

PORTS = {"http": 80, "https": 443}

# IPv6 as the Internet hands it out today; everything else (mapped IPv4, NAT64, site-local fec0::/10, ULA,
# link-local, multicast) lies outside. https://www.iana.org/assignments/ipv6-unicast-address-assignments
GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")

# What `is_global` of one Python release or another lets pass although it leads inwards or nowhere.
REFUSED = [
    ipaddress.ip_network(block)
    for block in (
        "100.64.0.0/10",  # carrier-grade NAT, RFC 6598
        "192.0.0.0/24",  # protocol assignments, RFC 6890
        "192.88.99.0/24",  # 6to4 relays, RFC 7526
        "2001::/23",  # protocol assignments: Teredo, ORCHID and kin, RFC 2928
        "2001:db8::/32",  # documentation, RFC 3849
        "2002::/16",  # 6to4 carries an IPv4 address inside, RFC 3056
        "3fff::/20",  # documentation, RFC 9637
    )
]


class DestinationRefused(Exception):
    """The guard does not let a request go there. The message never holds more of the URL than its origin.

    `ours_alone`: the rule is one of our own caution, so a player might get there.
    """

    def __init__(self, message: str, *, ours_alone: bool = False) -> None:
        super().__init__(message)
        self.ours_alone = ours_alone


class Origin(NamedTuple):
    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


def is_address(host: str) -> bool:
    """Whether a host is an IP address as written, and not a name for one (`0x7f.1` is such a name)."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_public(address: str) -> bool:
    """Whether an IP address is one that anybody on the Internet could answer from."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if ip.version == 6 and ip not in GLOBAL_UNICAST:
        return False
    inward = any(ip.version == block.version and ip in block for block in REFUSED)
    return ip.is_global and not ip.is_multicast and not inward


def origin_of(url: str) -> Origin:
    """The scheme, host and port that a URL leads to; DestinationRefused if it is not plain http(s)."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise DestinationRefused("not a valid URL") from None
    if parts.scheme not in PORTS:
        shown = parts.scheme if len(parts.scheme) <= 12 else "…"  # it might be anything
        raise DestinationRefused(f"scheme {shown!r} is not allowed, only http and https")
    if not parts.hostname:
        raise DestinationRefused("the URL names no host")
    if parts.username is not None or parts.password is not None:
        raise DestinationRefused("a user or password in a URL is not allowed")
    return Origin(parts.scheme, plain(parts.hostname), PORTS[parts.scheme] if port is None else port)


def trusted_origin(text: str) -> Origin:
    """Read one entry of HTTP_TRUSTED_ORIGINS; ValueError unless it is exactly scheme://host[:port]."""
    expected = f"{text!r} is not an origin: write scheme://host:port, such as http://127.0.0.1:9000"
    try:
        origin, parts = origin_of(text), urlsplit(text)
    except DestinationRefused as refusal:
        raise ValueError(f"{expected} ({refusal})") from None
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError(expected)
    return origin


@dataclass(frozen=True, slots=True)
class Guard:
    """The rules of one session. `hosts` are exact names, or `*.example.org` for every name below one."""

    trusted: frozenset[Origin]
    hosts: tuple[str, ...] | None = None

    @classmethod
    def of(cls, trusted_origins: Collection[str], hosts: Collection[str] | None) -> Guard:
        trusted = frozenset(trusted_origin(text) for text in trusted_origins)
        return cls(trusted, None if hosts is None else tuple(plain(host) for host in hosts))

    def check(self, url: str) -> Origin:
        """Refuse a URL by its scheme, host name and port, before any name is looked up."""
        origin = origin_of(url)
        self.check_origin(origin)
        return origin

    def check_origin(self, origin: Origin) -> None:
        if self.hosts is not None and not on_list(origin.host, self.hosts):
            raise DestinationRefused(f"host {origin.host} is not on this provider's list")
        if origin not in self.trusted and origin.port not in PORTS.values():
            told = f"port {origin.port} is not allowed, only 80 and 443"
            raise DestinationRefused(told, ours_alone=True)

    def usable(self, origin: Origin, addresses: Iterable[str]) -> tuple[str, ...]:
        """Those of the looked-up addresses that may be connected to; DestinationRefused when none may."""
        found = tuple(dict.fromkeys(addresses))
        usable = found if origin in self.trusted else tuple(filter(is_public, found))
        if not usable:
            raise DestinationRefused(f"{origin.host} has no public address")
        return usable


def plain(host: str) -> str:
    """A host as it is looked up: international names in ASCII (RFC 5891), as `requests` sends them."""
    host = host.strip().lower().rstrip(".")
    star, name = ("*.", host[2:]) if host.startswith("*.") else ("", host)
    with suppress(UnicodeError):  # no name at all: it leads nowhere, and matches nothing
        return star + (name if name.isascii() else idna.encode(name, uts46=True).decode())
    return host


def on_list(host: str, hosts: Iterable[str]) -> bool:
    """Whether a list of hosts names this one, or with `*.` any name above it."""
    return any(host.endswith(named[1:]) if named.startswith("*.") else host == named for named in hosts)
