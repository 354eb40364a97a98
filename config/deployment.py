"""Whether this is a deployment: something that others than this machine reach. Values in, a verdict out.

Nobody has to say so, so that nobody can forget to: whoever is to be reached by others names a host for it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable


def is_deployment(allowed_hosts: Iterable[str], *, machines: int) -> bool:
    """ALLOWED_HOSTS with a name that is not this machine's own (`*` is one), or several machines (HOSTS)."""
    return machines > 1 or not all(map(is_local, allowed_hosts))


def is_local(host: str) -> bool:
    """localhost, a name below it (RFC 6761, section 6.3), or an address of the loopback."""
    name = host.lower().removeprefix(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False
