"""The closed family of things that go wrong with a provider. No Django here.

An error carries the provider, the request and the beginning of the answer, with secrets already redacted
by whoever raises it. `ProviderMisconfigured` stands beside the family's outages: no retry mends it.
"""

from __future__ import annotations

from typing import TypedDict, Unpack


class Context(TypedDict, total=False):
    """What every error may say of its circumstances, secrets already masked."""

    provider: str
    request: str
    status: int | None
    answer: str


class ProviderError(Exception):
    """A call to a provider failed. `request` is "GET https://host/path", `answer` a short excerpt."""

    code = "error"
    retryable = False

    def __init__(
        self,
        message: str,
        *,
        provider: str = "",
        request: str = "",
        status: int | None = None,
        answer: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.provider = provider
        self.request = request
        self.status = status
        self.answer = answer[:500]

    @property
    def context(self) -> Context:
        """Its circumstances, to raise another error in its place."""
        return {
            "provider": self.provider,
            "request": self.request,
            "status": self.status,
            "answer": self.answer,
        }

    def __str__(self) -> str:
        where = f" [{self.request}]" if self.request else ""
        return f"{self.provider or 'provider'}: {self.message}{where}"


class ProviderTransient(ProviderError):
    """It may work next time: time-out, 5xx, broken connection. `unreachable`: DNS, connect or TLS failed."""

    code = "transient"
    retryable = True

    def __init__(self, message: str, *, unreachable: bool = False, **context: Unpack[Context]) -> None:
        super().__init__(message, **context)
        self.unreachable = unreachable


class ProviderRateLimited(ProviderError):
    """429, or 503 with Retry-After. `retry_after_s` is what it asked for, None when it did not say."""

    code = "rate_limited"
    retryable = True

    def __init__(
        self, message: str, *, retry_after_s: float | None = None, **context: Unpack[Context]
    ) -> None:
        super().__init__(message, **context)
        self.retry_after_s = retry_after_s


class ProviderPermanent(ProviderError):
    """It will not work next time either: a 4xx, or a request that cannot be sent."""

    code = "permanent"


class ProviderRefused(ProviderPermanent):
    """Our own guard does not send it there: address, port, host, scheme, or redirects without end.

    `ours_alone`: the rule is one of our own caution (ports, redirects), so a player might get there.
    """

    code = "refused"

    def __init__(self, message: str, *, ours_alone: bool = False, **context: Unpack[Context]) -> None:
        super().__init__(message, **context)
        self.ours_alone = ours_alone


class ProviderBadResponse(ProviderError):
    """It answered, but not with what its documentation promises (malformed, too big, wrong type)."""

    code = "bad_response"


class ProviderMisconfigured(ProviderError):
    """Our own configuration of the provider is wrong or its credentials are refused (401, 403 on the API)."""

    code = "misconfigured"
