"""What Triton says is told apart by its words and its codes."""

from __future__ import annotations

import pytest
from tritonclient.utils import InferenceServerException

from absah_server.inference.triton.failures import Kind, failure


@pytest.mark.parametrize(
    ("code", "said", "kind"),
    [
        ("UNAVAILABLE", "failed to connect to all addresses", Kind.LOST),
        ("UNAVAILABLE", "Socket closed", Kind.LOST),
        ("CANCELLED", "the server is stopping", Kind.LOST),
        ("NOT_FOUND", "Request for unknown model: 'm' is not found", Kind.MISSING),
        (
            "UNAVAILABLE",
            "Request for unknown model: 'm' version 1 is not at ready state",
            Kind.MISSING,
        ),
        ("INTERNAL", "Stub process 'm_0_0' is not healthy.", Kind.BROKEN),
        ("UNAVAILABLE", "[request id: <id_unknown>] Exceeds maximum queue size", Kind.FULL),
        ("UNAVAILABLE", "Request timeout expired", Kind.LATE),
        ("DEADLINE_EXCEEDED", "Deadline Exceeded", Kind.LATE),
        ("NOT_FOUND", "Unable to find shared memory region: 'absah.1'", Kind.MEMORY),
        ("INVALID_ARGUMENT", "unexpected shape for input 'x'", Kind.REFUSED),
        ("INTERNAL", "Non-zero status code returned while running Add node", Kind.FAILED),
        ("UNKNOWN", "", Kind.FAILED),
    ],
)
def test_each_failure_has_its_kind(code: str, said: str, kind: Kind) -> None:
    exc = InferenceServerException(msg=said, status=f"StatusCode.{code}")
    assert failure("here:8001", exc).kind is kind


def test_only_what_is_not_the_requests_fault_is_asked_again() -> None:
    again = {kind: kind.attempts for kind in Kind if kind.attempts > 1}
    assert again == {Kind.LOST: 3, Kind.MISSING: 3, Kind.BROKEN: 2}


def test_a_failure_tells_one_line_of_what_was_said() -> None:
    exc = InferenceServerException(
        msg="[request id: <id_unknown>] first\nsecond", status="StatusCode.INTERNAL"
    )
    assert str(failure("here:8001", exc)) == (
        "Triton at here:8001: the model failed on the request: first"
    )
