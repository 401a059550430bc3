"""The one table from exceptions to gRPC codes, reasons and details."""

from __future__ import annotations

import logging
import math
import secrets
from collections.abc import Awaitable
from typing import Any, TypeVar

import grpc
from google.protobuf import any_pb2, duration_pb2, message
from google.rpc import error_details_pb2, status_pb2

from absah.v1 import error_reason_pb2
from absah_sdk import DeadlinePassed
from absah_server.core import errors
from absah_server.core.validation import Fault, FaultReason
from absah_server.telemetry import metrics

log = logging.getLogger(__name__)

DOMAIN = "absah"
DETAILS_KEY = "grpc-status-details-bin"
PUSHBACK_KEY = "grpc-retry-pushback-ms"

# A status travels as metadata: its details in Base64, its message once more, percent-encoded. What
# is larger than 8 KiB is refused by many a client, whose caller then learns nothing.
MAX_MESSAGE_BYTES = 400
MAX_NAME_BYTES = 100
MAX_PROBLEM_BYTES = 300
MAX_VIOLATIONS = 20
MAX_VIOLATIONS_BYTES = 3000

T = TypeVar("T")
Reason = error_reason_pb2.ErrorReason
Code = grpc.StatusCode

TABLE: dict[type[Exception], tuple[grpc.StatusCode, int]] = {
    errors.DocumentsUnexpected: (
        Code.INVALID_ARGUMENT,
        error_reason_pb2.ERROR_REASON_UNEXPECTED_DOCUMENTS,
    ),
    errors.ClaimsUnexpected: (
        Code.INVALID_ARGUMENT,
        error_reason_pb2.ERROR_REASON_UNEXPECTED_CLAIMS,
    ),
    errors.RequestInvalid: (Code.INVALID_ARGUMENT, error_reason_pb2.ERROR_REASON_INVALID_REQUEST),
    errors.LimitExceeded: (Code.RESOURCE_EXHAUSTED, error_reason_pb2.ERROR_REASON_LIMIT_EXCEEDED),
    errors.Overloaded: (Code.RESOURCE_EXHAUSTED, error_reason_pb2.ERROR_REASON_OVERLOADED),
    errors.PolicyNotFound: (Code.NOT_FOUND, error_reason_pb2.ERROR_REASON_POLICY_NOT_FOUND),
    errors.CheckerNotFound: (Code.NOT_FOUND, error_reason_pb2.ERROR_REASON_CHECKER_NOT_FOUND),
    errors.ShuttingDown: (Code.UNAVAILABLE, error_reason_pb2.ERROR_REASON_SHUTTING_DOWN),
    errors.StoreUnavailable: (Code.UNAVAILABLE, error_reason_pb2.ERROR_REASON_STORE_UNAVAILABLE),
    errors.ValidationNotFound: (Code.NOT_FOUND, error_reason_pb2.ERROR_REASON_VALIDATION_NOT_FOUND),
    errors.JobNotFound: (Code.NOT_FOUND, error_reason_pb2.ERROR_REASON_JOB_NOT_FOUND),
    errors.DeadLetterNotFound: (
        Code.NOT_FOUND,
        error_reason_pb2.ERROR_REASON_DEAD_LETTER_NOT_FOUND,
    ),
    errors.DocumentNotFound: (Code.NOT_FOUND, error_reason_pb2.ERROR_REASON_DOCUMENT_NOT_FOUND),
    errors.DocumentInUse: (
        Code.FAILED_PRECONDITION,
        error_reason_pb2.ERROR_REASON_DOCUMENT_IN_USE,
    ),
    errors.ContentDamaged: (Code.DATA_LOSS, error_reason_pb2.ERROR_REASON_CONTENT_DAMAGED),
    errors.ContentMismatch: (
        Code.INVALID_ARGUMENT,
        error_reason_pb2.ERROR_REASON_CONTENT_MISMATCH,
    ),
    errors.UploadGap: (Code.INVALID_ARGUMENT, error_reason_pb2.ERROR_REASON_UPLOAD_GAP),
    errors.OffsetBeyondEnd: (Code.OUT_OF_RANGE, error_reason_pb2.ERROR_REASON_INVALID_REQUEST),
    errors.RequestIdReused: (Code.ALREADY_EXISTS, error_reason_pb2.ERROR_REASON_REQUEST_ID_REUSED),
    errors.WrongState: (Code.FAILED_PRECONDITION, error_reason_pb2.ERROR_REASON_WRONG_STATE),
    errors.ReviewNotFound: (Code.NOT_FOUND, error_reason_pb2.ERROR_REASON_REVIEW_NOT_FOUND),
    errors.ReviewClaimed: (
        Code.FAILED_PRECONDITION,
        error_reason_pb2.ERROR_REASON_REVIEW_CLAIMED,
    ),
    errors.ReviewNotClaimed: (
        Code.FAILED_PRECONDITION,
        error_reason_pb2.ERROR_REASON_WRONG_STATE,
    ),
    errors.ReviewDecided: (Code.FAILED_PRECONDITION, error_reason_pb2.ERROR_REASON_WRONG_STATE),
    errors.ChainBroken: (Code.DATA_LOSS, error_reason_pb2.ERROR_REASON_AUDIT_BROKEN),
    errors.NothingKept: (Code.FAILED_PRECONDITION, error_reason_pb2.ERROR_REASON_NOTHING_KEPT),
    errors.ModelUnknown: (Code.NOT_FOUND, error_reason_pb2.ERROR_REASON_MODEL_NOT_FOUND),
    errors.ModelInvalid: (Code.FAILED_PRECONDITION, error_reason_pb2.ERROR_REASON_MODEL_INVALID),
    errors.ModelInUse: (Code.FAILED_PRECONDITION, error_reason_pb2.ERROR_REASON_MODEL_IN_USE),
    errors.RolloutRefused: (
        Code.FAILED_PRECONDITION,
        error_reason_pb2.ERROR_REASON_ROLLOUT_REFUSED,
    ),
    DeadlinePassed: (Code.DEADLINE_EXCEEDED, error_reason_pb2.ERROR_REASON_DEADLINE_EXCEEDED),
}
"""Looked up by the exception's class, then by its bases; what is not here is INTERNAL."""

RETRIABLE = (errors.Overloaded, errors.StoreUnavailable)
"""Those that say when to come back."""

RESOURCES: dict[type[Any], str] = {
    errors.PolicyNotFound: "policy",
    errors.CheckerNotFound: "checker",
    errors.ValidationNotFound: "validation",
    errors.RequestIdReused: "validation",
    errors.JobInWrongState: "job",
    errors.WrongState: "validation",
    errors.JobNotFound: "job",
    errors.DeadLetterNotFound: "dead letter",
    errors.DocumentNotFound: "document",
    errors.DocumentInUse: "document",
    errors.ContentDamaged: "document",
    errors.ReviewNotFound: "review",
    errors.ReviewClaimed: "review",
    errors.ReviewNotClaimed: "review",
    errors.ReviewDecided: "review",
    errors.ModelUnknown: "model",
    errors.ModelInvalid: "model",
    errors.ModelInUse: "model",
    errors.RolloutRefused: "model",
}
"""Those that are about a resource, by its `name`, and what kind of resource it is; the first that
fits counts."""

FAULT_CODES = {
    FaultReason.CHECKER_FAILED: Code.INTERNAL,
    FaultReason.NO_TIME_LEFT: Code.DEADLINE_EXCEEDED,
    FaultReason.CONDITION_NOT_MET: Code.FAILED_PRECONDITION,
    FaultReason.REQUIREMENT_MISSING: Code.FAILED_PRECONDITION,
    FaultReason.OVERLOADED: Code.RESOURCE_EXHAUSTED,
    FaultReason.MODEL_UNAVAILABLE: Code.UNAVAILABLE,
    FaultReason.STORE_UNAVAILABLE: Code.UNAVAILABLE,
    FaultReason.CONTENT_DAMAGED: Code.DATA_LOSS,
    FaultReason.CANCELLED: Code.CANCELLED,
    FaultReason.ATTEMPTS_EXHAUSTED: Code.INTERNAL,
    FaultReason.POLICY_NOT_FOUND: Code.NOT_FOUND,
    FaultReason.CHECKER_NOT_FOUND: Code.NOT_FOUND,
    FaultReason.DOCUMENT_NOT_FOUND: Code.NOT_FOUND,
    FaultReason.INVALID_REQUEST: Code.INVALID_ARGUMENT,
}


def status_of(error: Exception) -> status_pb2.Status:
    """The status that a caller is told.

    An unknown exception is logged under an error id, and the caller learns only that id.
    """
    for kind in type(error).__mro__:
        if kind in TABLE:
            code, reason = TABLE[kind]
            return _status(code, reason, _sentence(error), _details(error))
    error_id = secrets.token_hex(8)
    log.error("internal error", extra={"error_id": error_id}, exc_info=error)
    return _status(
        Code.INTERNAL,
        error_reason_pb2.ERROR_REASON_INTERNAL,
        f"the server failed; please report error id {error_id}",
        [],
    )


def fault_status(fault: Fault) -> status_pb2.Status:
    """The status within a check result that says why it is SKIPPED or ERROR."""
    reason = Reason.Value(f"ERROR_REASON_{fault.reason.value}")
    return _status(FAULT_CODES[fault.reason], reason, fault.message, [])


def _sentence(error: Exception) -> str:
    if isinstance(error, errors.ShuttingDown):
        return "the server is shutting down; the request was not begun, send it again"
    return str(error)


def _details(error: Exception) -> list[message.Message]:
    if isinstance(error, errors.RequestInvalid):
        return [error_details_pb2.BadRequest(field_violations=_violations(error))]
    if isinstance(error, errors.LimitExceeded):
        violation = error_details_pb2.QuotaFailure.Violation(
            subject=error.limit, description=str(error)
        )
        return [error_details_pb2.QuotaFailure(violations=[violation])]
    if isinstance(error, RETRIABLE):
        delay = duration_pb2.Duration()
        delay.FromMilliseconds(_milliseconds(error))
        return [error_details_pb2.RetryInfo(retry_delay=delay)]
    for kind, resource in RESOURCES.items():
        if isinstance(error, kind):
            return [
                error_details_pb2.ResourceInfo(
                    resource_type=resource,
                    resource_name=_cut(error.name, MAX_NAME_BYTES),
                    description=_cut(str(error), MAX_PROBLEM_BYTES),
                )
            ]
    return []


def _violations(
    error: errors.RequestInvalid,
) -> list[error_details_pb2.BadRequest.FieldViolation]:
    """The first few; where some are left out, a last one without a field tells how many."""
    told: list[error_details_pb2.BadRequest.FieldViolation] = []
    size = 0
    for field, problem in error.violations[:MAX_VIOLATIONS]:
        violation = error_details_pb2.BadRequest.FieldViolation(
            field=_cut(field, MAX_NAME_BYTES), description=_cut(problem, MAX_PROBLEM_BYTES)
        )
        size += violation.ByteSize()
        if size > MAX_VIOLATIONS_BYTES:
            break
        told.append(violation)
    if more := len(error.violations) - len(told):
        told.append(error_details_pb2.BadRequest.FieldViolation(description=f"and {more:,} more"))
    return told


def _cut(text: str, max_bytes: int) -> str:
    """The text, or its beginning and an ellipsis where it is longer than so many bytes."""
    encoded = text.encode()
    if len(encoded) <= max_bytes:
        return text
    return encoded[: max_bytes - len("…".encode())].decode(errors="ignore") + "…"


def _milliseconds(error: errors.Overloaded | errors.StoreUnavailable) -> int:
    return math.ceil(error.retry_after_seconds * 1000)


def _status(
    code: grpc.StatusCode, reason: int, text: str, details: list[message.Message]
) -> status_pb2.Status:
    name = Reason.Name(reason).removeprefix("ERROR_REASON_")
    info = error_details_pb2.ErrorInfo(reason=name, domain=DOMAIN)
    packed = []
    for detail in (info, *details):
        packed.append(any_pb2.Any())
        packed[-1].Pack(detail)
    return status_pb2.Status(
        code=code.value[0], message=_cut(text, MAX_MESSAGE_BYTES), details=packed
    )


async def answer(context: grpc.aio.ServicerContext[Any, Any], work: Awaitable[T]) -> T:
    """Await the work of a method; an exception ends the call with its status."""
    try:
        return await work
    except Exception as exc:
        status = status_of(exc)
        info = error_details_pb2.ErrorInfo()
        status.details[0].Unpack(info)
        metrics.refused(info.reason)
        metadata: list[tuple[str, str | bytes]] = [(DETAILS_KEY, status.SerializeToString())]
        if isinstance(exc, RETRIABLE):
            metadata.append((PUSHBACK_KEY, str(_milliseconds(exc))))
        await context.abort(_CODES[status.code], status.message, tuple(metadata))
        raise AssertionError("abort returned") from exc


_CODES = {code.value[0]: code for code in grpc.StatusCode}
