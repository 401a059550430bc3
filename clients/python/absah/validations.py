"""What a client asks of ValidationService, waiting for each answer."""

from __future__ import annotations

import datetime
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeGuard

import grpc

from absah.documents import Source, request
from absah.errors import CallFailed, from_rpc_error, from_status
from absah.listing import list_request
from absah.v1 import (
    check_result_pb2,
    validation_pb2,
    validation_service_pb2,
    validation_service_pb2_grpc,
)

ENDED = (
    validation_pb2.STATE_SUCCEEDED,
    validation_pb2.STATE_FAILED,
    validation_pb2.STATE_CANCELLED,
)
RETRY_SECONDS = 0.5
"""Between two attempts at a stream that broke off."""


class ValidationCalls:
    """The calls; `Client` gives them their channel."""

    _validations: validation_service_pb2_grpc.ValidationServiceStub
    _timeout_seconds: float

    def validate(
        self,
        policy: str = "",
        *,
        checkers: Iterable[str] = (),
        claims: Mapping[str, Any] | None = None,
        request_id: str = "",
        priority: str = "normal",
        return_artifacts: bool = False,
        timeout_seconds: float | None = None,
        **documents: Source | Iterable[Source],
    ) -> validation_pb2.Validation:
        """Validate documents, given by role: a path, bytes, `Text`, or a list of them.

        Under a policy it gets a `request_id` of its own where none is given, so that it is recorded
        once though it may be sent again. What was accepted under the id before is waited for, and
        comes as it stands where that takes longer than the call.
        """
        message = request(
            policy,
            documents,
            checkers=checkers,
            claims=claims,
            request_id=request_id or (uuid.uuid4().hex if policy else ""),
            priority=priority,
            return_artifacts=return_artifacts,
        )
        return self.send(message, timeout_seconds=timeout_seconds)

    def send(
        self,
        message: validation_service_pb2.ValidateRequest,
        *,
        timeout_seconds: float | None = None,
    ) -> validation_pb2.Validation:
        """Send a request that was made by hand or by `absah.request`."""
        timeout = timeout_seconds or self._timeout_seconds
        try:
            answer = self._validations.Validate(message, timeout=timeout)
        except grpc.RpcError as exc:
            raise from_rpc_error(exc) from exc
        validation: validation_pb2.Validation = answer.validation
        return validation

    def validate_stream(
        self,
        messages: Iterable[validation_service_pb2.ValidateRequest],
        *,
        timeout_seconds: float | None = None,
    ) -> Iterator[tuple[str, validation_pb2.Validation | Exception]]:
        """Validate many requests; yields (request_id, validation or `CallFailed`) as they end."""
        wrapped = (validation_service_pb2.ValidateStreamRequest(request=m) for m in messages)
        try:
            for answer in self._validations.ValidateStream(wrapped, timeout=timeout_seconds):
                yield answer.request_id, either(answer)
        except grpc.RpcError as exc:
            raise from_rpc_error(exc) from exc

    def create_validation(
        self,
        policy: str = "",
        *,
        checkers: Iterable[str] = (),
        claims: Mapping[str, Any] | None = None,
        request_id: str = "",
        priority: str = "normal",
        **documents: Source | Iterable[Source],
    ) -> validation_pb2.Validation:
        """Have a validation accepted, to be run by the server's workers.

        It is accepted once, however often it is sent under one `request_id`; without one it gets
        an id of its own.
        """
        return self.submit(
            request(
                policy,
                documents,
                checkers=checkers,
                claims=claims,
                request_id=request_id,
                priority=priority,
            )
        )

    def submit(self, message: validation_service_pb2.ValidateRequest) -> validation_pb2.Validation:
        """Have a request accepted that was made by hand or by `absah.request`."""
        wrapped = created(message)
        try:
            answer = self._validations.CreateValidation(wrapped, timeout=self._timeout_seconds)
        except grpc.RpcError as exc:
            raise from_rpc_error(exc) from exc
        validation: validation_pb2.Validation = answer.validation
        return validation

    def validation(self, name: str) -> validation_pb2.Validation:
        """A validation by name, with the check results that have ended so far."""
        message = validation_service_pb2.GetValidationRequest(name=name)
        try:
            answer = self._validations.GetValidation(message, timeout=self._timeout_seconds)
        except grpc.RpcError as exc:
            raise from_rpc_error(exc) from exc
        validation: validation_pb2.Validation = answer.validation
        return validation

    def validations(
        self,
        *,
        state: str = "",
        decision: str = "",
        policy: str = "",
        request_id: str = "",
        start_time: datetime.datetime | None = None,
        end_time: datetime.datetime | None = None,
        page_size: int = 0,
    ) -> Iterator[validation_pb2.Validation]:
        """All validations of a filter, the newest first, without check results.

        `state` and `decision` are bare words such as "RUNNING" and "REJECT". Pages are asked for
        as they are needed.
        """
        message = list_request(
            state=state,
            decision=decision,
            policy=policy,
            request_id=request_id,
            start_time=start_time,
            end_time=end_time,
            page_size=page_size,
        )
        while True:
            try:
                answer = self._validations.ListValidations(message, timeout=self._timeout_seconds)
            except grpc.RpcError as exc:
                raise from_rpc_error(exc) from exc
            yield from answer.validations
            message.page_token = answer.next_page_token
            if not message.page_token:
                return

    def replay_validation(
        self, name: str, *, timeout_seconds: float | None = None
    ) -> validation_service_pb2.ReplayValidationResponse:
        """Run an ended validation again, and tell where it comes out otherwise."""
        message = validation_service_pb2.ReplayValidationRequest(name=name)
        timeout = timeout_seconds or self._timeout_seconds
        try:
            answer: validation_service_pb2.ReplayValidationResponse = (
                self._validations.ReplayValidation(message, timeout=timeout)
            )
        except grpc.RpcError as exc:
            raise from_rpc_error(exc) from exc
        return answer

    def cancel_validation(self, name: str) -> validation_pb2.Validation:
        """Cancel a validation that has not ended."""
        message = validation_service_pb2.CancelValidationRequest(name=name)
        try:
            answer = self._validations.CancelValidation(message, timeout=self._timeout_seconds)
        except grpc.RpcError as exc:
            raise from_rpc_error(exc) from exc
        validation: validation_pb2.Validation = answer.validation
        return validation

    def watch_validation(
        self, name: str, *, timeout_seconds: float | None = None
    ) -> Iterator[validation_pb2.Validation | check_result_pb2.CheckResult]:
        """The validation as it stands, each check result as its check ends, the ended validation.

        Without `timeout_seconds` it is waited for as long as it takes.
        """
        message = validation_service_pb2.WatchValidationRequest(name=name)
        try:
            for answer in self._validations.WatchValidation(message, timeout=timeout_seconds):
                yield event_of(answer)
        except grpc.RpcError as exc:
            raise from_rpc_error(exc) from exc

    def wait_for_validation(
        self, name: str, *, timeout_seconds: float
    ) -> validation_pb2.Validation:
        """The validation once it has ended, over as many connections as that takes.

        Raises `CallFailed`, with DEADLINE_EXCEEDED if it has not ended in time.
        """
        deadline = time.monotonic() + timeout_seconds
        while True:
            left = max(deadline - time.monotonic(), 0.0)
            try:
                for event in self.watch_validation(name, timeout_seconds=left):
                    if ended(event):
                        return event
            except CallFailed as exc:
                if exc.code is not grpc.StatusCode.UNAVAILABLE or left <= RETRY_SECONDS:
                    raise
            time.sleep(RETRY_SECONDS)


def either(
    answer: validation_service_pb2.ValidateStreamResponse,
) -> validation_pb2.Validation | Exception:
    """What a stream's answer holds."""
    if answer.WhichOneof("result") == "error":
        return from_status(answer.error)
    return answer.validation


def created(
    message: validation_service_pb2.ValidateRequest,
) -> validation_service_pb2.CreateValidationRequest:
    """The request to accept a validation; it has an id, so that it is safe to send again."""
    made = validation_service_pb2.CreateValidationRequest(request=message)
    made.request.request_id = message.request_id or uuid.uuid4().hex
    return made


def event_of(
    answer: validation_service_pb2.WatchValidationResponse,
) -> validation_pb2.Validation | check_result_pb2.CheckResult:
    """What a watched validation's stream told."""
    if answer.WhichOneof("event") == "check_result":
        return answer.check_result
    return answer.validation


def ended(
    event: validation_pb2.Validation | check_result_pb2.CheckResult,
) -> TypeGuard[validation_pb2.Validation]:
    """Whether it is a validation that has ended."""
    return isinstance(event, validation_pb2.Validation) and event.state in ENDED
