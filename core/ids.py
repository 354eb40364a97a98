"""Keys that sort by the time they were made."""

from __future__ import annotations

import os
import time
import uuid
from datetime import datetime
from hashlib import sha256


def uuid7() -> uuid.UUID:
    """A UUID version 7 (RFC 9562, section 5.7): 48 bits of Unix milliseconds, 12 of the fraction of the
    millisecond (section 6.2, method 3), so that log lines keep their order, then 62 of randomness."""
    milliseconds, rest_ns = divmod(time.time_ns(), 1_000_000)
    fraction = (rest_ns << 12) // 1_000_000
    value = (milliseconds & (1 << 48) - 1) << 80 | 0x7 << 76 | fraction << 64
    value |= 0x2 << 62 | int.from_bytes(os.urandom(8), "big") >> 2
    return uuid.UUID(int=value)


def floor_of(at: datetime) -> uuid.UUID:
    """What no UUID version 7 that is made at `at` or later lies below, and none of an earlier millisecond
    above."""
    return uuid.UUID(int=(int(at.timestamp() * 1000) & (1 << 48) - 1) << 80)


def uuid7_of(at: datetime, name: str) -> uuid.UUID:
    """The UUID version 7 of what may happen once at `at`: whoever computes it gets the same one.

    Its 74 random bits are of a hash of `name`, which is as good here (RFC 9562, section 6.9).
    """
    random = int.from_bytes(sha256(name.encode()).digest()[:10], "big") >> 6
    value = (int(at.timestamp() * 1000) & (1 << 48) - 1) << 80 | 0x7 << 76 | (random >> 62) << 64
    return uuid.UUID(int=value | 0x2 << 62 | random & (1 << 62) - 1)
