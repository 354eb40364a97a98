"""How long to wait before asking again: exponential back-off with full jitter, and the server's own word.

Pure: seconds in, seconds out. Whether a failure may be retried at all is said by its type.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from providers.errors import ProviderError, ProviderRateLimited

LONGEST_RETRY_AFTER_S = 86_400.0  # the last rung of a provider's back-off ladder


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """`max_retries` counts the retries after the first attempt. Waits in seconds.

    A server that asks for a longer pause than `patience_s` is not asked again here: sleeping that long would
    hold a worker, and waiting less than asked would be rude, so its error goes to the caller at once.
    """

    max_retries: int = 3
    base_s: float = 0.5
    cap_s: float = 20.0
    patience_s: float = 60.0

    def pause(self, error: ProviderError, attempt: int, rng: Callable[[], float]) -> float | None:
        """Seconds until the next try after `attempt` (0 is the first); None to give up.

        Full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
        """
        asked = error.retry_after_s or 0.0 if isinstance(error, ProviderRateLimited) else 0.0
        if not error.retryable or attempt >= self.max_retries or asked > self.patience_s:
            return None
        return max(asked, rng() * min(self.cap_s, self.base_s * 2.0**attempt))


def retry_after_s(header: str | None, now: float) -> float | None:
    """Read Retry-After (RFC 9110 section 10.2.3), as seconds or as a date; None when it says nothing usable.

    `now` is the wall clock in seconds since the epoch. Never negative, never above a day.
    """
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        seconds = float(text)
    else:
        try:
            seconds = parsedate_to_datetime(text).timestamp() - now
        except (ValueError, TypeError, OverflowError):
            return None
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER_S) if not math.isnan(seconds) else None
