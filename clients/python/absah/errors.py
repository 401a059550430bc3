"""Errors that a call to Absah ends with."""

from __future__ import annotations

from typing import Any, cast

import grpc
from google.rpc import error_details_pb2, status_pb2

DETAILS_KEY = "grpc-status-details-bin"
KNOWN = {
    kind.DESCRIPTOR.full_name: kind
    for kind in (
        error_details_pb2.BadRequest,
        error_details_pb2.ErrorInfo,
        error_details_pb2.QuotaFailure,
        error_details_pb2.ResourceInfo,
        error_details_pb2.RetryInfo,
    )
}


class CallFailed(Exception):
    """A call was refused or could not be made.

    `code` is the gRPC code, `reason` one of `absah.v1.ErrorReason` without its prefix (empty if the
    server did not answer), `fields` pairs of a request's field and what is wrong there,
    `retry_after_seconds` when to come back, if the server said.
    """

    def __init__(
        self,
        code: grpc.StatusCode,
        message: str,
        *,
        reason: str = "",
        fields: tuple[tuple[str, str], ...] = (),
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(f"{code.name}: {message}")
        self.code = code
        self.message = message
        self.reason = reason
        self.fields = fields
        self.retry_after_seconds = retry_after_seconds


def from_rpc_error(error: grpc.RpcError) -> CallFailed:
    """What a failed call's status and details say."""
    # Both the sync and the aio error are such; their common base declares no method.
    call = cast("grpc.Call", error)
    trailers: Any = call.trailing_metadata() or ()
    packed = dict(trailers).get(DETAILS_KEY)
    status = status_pb2.Status.FromString(packed) if packed else None
    return _failed(call.code(), call.details() or "", status)


def from_status(status: status_pb2.Status) -> CallFailed:
    """What a status within a stream's answer says."""
    code = next(code for code in grpc.StatusCode if code.value[0] == status.code)
    return _failed(code, status.message, status)


def _failed(code: grpc.StatusCode, text: str, status: status_pb2.Status | None) -> CallFailed:
    reason, fields, retry = "", [], None
    for packed in status.details if status else ():
        kind = KNOWN.get(packed.type_url.rpartition("/")[2])
        if kind is None:
            continue
        detail = kind.FromString(packed.value)
        if isinstance(detail, error_details_pb2.ErrorInfo):
            reason = detail.reason
        elif isinstance(detail, error_details_pb2.BadRequest):
            fields = [(v.field, v.description) for v in detail.field_violations]
        elif isinstance(detail, error_details_pb2.RetryInfo):
            retry = detail.retry_delay.ToTimedelta().total_seconds()
    return CallFailed(code, text, reason=reason, fields=tuple(fields), retry_after_seconds=retry)
