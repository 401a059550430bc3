"""Whatever a request holds, what an error says about it fits the metadata that it travels in."""

from __future__ import annotations

from typing import TypeVar

import pytest
from google.protobuf import message
from google.rpc import error_details_pb2, status_pb2

from absah_server.core import errors
from absah_server.core.validation import Fault, FaultReason
from absah_server.rpc.errors import fault_status, status_of

T = TypeVar("T", bound=message.Message)
LONG = "é" * 2**20
MANY = [(f"documents[{n}].role", "must start with a lower-case letter") for n in range(2000)]
LARGE_ERRORS = (
    errors.PolicyNotFound(name=LONG),
    errors.CheckerNotFound(name="😀" * 2**20),
    errors.RequestInvalid(*MANY),
    errors.ClaimsUnexpected((f"claims.{LONG}", "is not one that the policy has")),
    errors.DocumentsUnexpected(*[(f"{n}{LONG}"[:10_000], LONG[:10_000]) for n in range(100)]),
)


def detail(status: status_pb2.Status, kind: type[T]) -> T:
    found = kind()
    assert any(packed.Unpack(found) for packed in status.details)
    return found


@pytest.mark.parametrize("error", LARGE_ERRORS, ids=lambda error: type(error).__name__)
def test_a_status_and_its_message_fit_8_kib_of_metadata(error: errors.AbsahError) -> None:
    status = status_of(error)
    in_base64 = status.ByteSize() * 4 / 3
    percent_encoded = 3 * len(status.message.encode())
    assert in_base64 + percent_encoded < 7500
    assert detail(status, error_details_pb2.ErrorInfo).reason


def test_what_is_left_out_of_many_violations_is_counted() -> None:
    violations = detail(
        status_of(errors.RequestInvalid(*MANY)), error_details_pb2.BadRequest
    ).field_violations
    assert [(v.field, v.description) for v in violations[:20]] == MANY[:20]
    assert [(v.field, v.description) for v in violations[20:]] == [("", "and 1,980 more")]


def test_a_long_name_is_told_by_its_beginning() -> None:
    resource = detail(
        status_of(errors.PolicyNotFound(name="field-report" + LONG)),
        error_details_pb2.ResourceInfo,
    )
    assert resource.resource_name.startswith("field-report")
    assert resource.resource_name.endswith("é…")


def test_a_few_violations_are_told_in_full() -> None:
    status = status_of(errors.RequestInvalid(*MANY[:3]))
    violations = detail(status, error_details_pb2.BadRequest).field_violations
    assert [(v.field, v.description) for v in violations] == MANY[:3]
    assert "…" not in status.message


def test_what_a_plugin_says_of_its_fault_is_cut_too() -> None:
    status = fault_status(Fault(reason=FaultReason.REQUIREMENT_MISSING, message=LONG))
    assert status.ByteSize() < 2000
