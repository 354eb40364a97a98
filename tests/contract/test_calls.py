"""The document against the application, as everybody: its own examples, then what schemathesis thinks of."""

from __future__ import annotations

import hypothesis
import pytest
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.clients import ROLES
from tests.contract import document
from tests.contract.conftest import Service

EXAMPLES = 8
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
LIMITS = hypothesis.settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(hypothesis.HealthCheck),
)

ANYONE = {"register", "signIn", "renewTokens", "signOut", "reportPlayback"}
CHANGES = {
    "anyone": ANYONE,
    "user": ANYONE | {"recheckMovie"},
    "viewer": ANYONE | {"recheckMovie"},
    "editor": ANYONE
    | {"recheckMovie", "activateStream", "rollBack", "addMovie", "editMovie", "withdrawMovie"},
    "operator": ANYONE
    | {
        "recheckMovie",
        "startJob",
        "cancelRun",
        "initializeSchedule",
        "testProvider",
        "changeSetting",
        "resetSetting",
        "revertSetting",
    },
}
"""What each role may set off or change, and does here by the document's own example."""
FOR_USERS = {"getMe"}
READERS = {True: ROLES[1:], False: ROLES[2:]}
"""Who may read what is not for anyone: those who are signed in, or those who hold a role."""


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", document.names())
def test_whatever_is_asked_the_answer_is_one_that_the_document_tells(
    service: Service, name: str, role: str
) -> None:
    headers, told, shown = service.headers(role), service.operation(name), service.example(name)
    works = shown.call_and_validate(headers=headers, checks=CHECKS).status_code < 300
    assert works == may(name, role)

    @LIMITS
    @hypothesis.given(data=st.data())
    def ask(data: st.DataObject) -> None:
        mode = data.draw(st.sampled_from(list(GenerationMode)))
        case = data.draw(told.as_strategy(generation_mode=mode))
        if mode is GenerationMode.POSITIVE and data.draw(st.booleans()):
            case.path_parameters = shown.path_parameters  # what is there, rather than what nobody heard of
        case.call_and_validate(headers=headers, checks=CHECKS)

    ask()


def may(name: str, role: str) -> bool:
    """Whether the operation's own example works for this role."""
    method, _, operation = document.named(name)
    if method != "get":
        return name in CHANGES[role]
    return {} in operation["security"] or role in READERS[name in FOR_USERS]
