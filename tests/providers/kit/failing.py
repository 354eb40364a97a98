"""Rules on failure: it is an error of the right kind, and never an empty answer, at whichever request."""

from __future__ import annotations

from providers.errors import (
    ProviderBadResponse,
    ProviderError,
    ProviderMisconfigured,
    ProviderRateLimited,
    ProviderTransient,
)
from tests.providers.kit.case import Case, insist
from tests.providers.kit.recorded import Answer

SHORT_S = 0.3
AMPLE_S = 10.0


def takes_no_huge_answer(case: Case) -> None:
    for script in case.spoilt("huge"):
        error = case.failure(script, deadline_s=AMPLE_S)
        insist(isinstance(error, ProviderBadResponse | ProviderTransient), f"huge: {_kind(error)}")


def waits_for_no_slow_answer(case: Case) -> None:
    for script in case.spoilt("slow"):
        error = case.failure(script, deadline_s=SHORT_S)
        insist(isinstance(error, ProviderTransient), f"slow: {_kind(error)}")


def notices_an_answer_cut_off(case: Case) -> None:
    for script in case.spoilt("cut"):
        error = case.failure(script)
        insist(isinstance(error, ProviderTransient | ProviderBadResponse), f"cut off: {_kind(error)}")


def takes_a_refusal_for_a_wrong_setting(case: Case) -> None:
    for status in ("401", "403"):
        for script in case.with_failure(_only(case, status)):
            error = case.failure(script)
            insist(isinstance(error, ProviderMisconfigured), f"{status}: {_kind(error)}")


def finds_nothing_in_a_404(case: Case) -> None:
    for script in case.with_failure(_only(case, "404")):
        try:
            found = case.search(script)
        except ProviderError:
            continue
        insist(len(script) > 1 or not found.candidates, "a 404 gives candidates")


def passes_a_rate_limit_on(case: Case) -> None:
    for situation in ("429", "429_retry_after"):
        answer = _only(case, situation)
        asked = next((float(v) for k, v in answer.headers.items() if k.lower() == "retry-after"), None)
        insist((asked is None) is (situation == "429"), f"{situation} is recorded with the wrong headers")
        for script in case.with_failure(answer):
            error = case.failure(script)
            if not isinstance(error, ProviderRateLimited):
                insist(False, f"{situation}: {_kind(error)}")
            else:
                insist(error.retry_after_s == asked, f"{situation}: it says {error.retry_after_s} s")


def passes_an_outage_on(case: Case) -> None:
    for script in case.with_failure(_only(case, "500")):
        error = case.failure(script)
        insist(isinstance(error, ProviderTransient), f"500: {_kind(error)}")


def _only(case: Case, situation: str) -> Answer:
    (answer,) = case.answers(situation)
    insist(situation.startswith(str(answer.status)), f"{situation} is recorded with status {answer.status}")
    return answer


def _kind(error: ProviderError) -> str:
    return f"it is a {type(error).__name__} ({error})"
