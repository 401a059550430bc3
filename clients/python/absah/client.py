"""Clients of an Absah server, sync and async."""

from __future__ import annotations

import json
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any

import grpc

from absah.documents import Source, request
from absah.errors import from_rpc_error, from_status
from absah.v1 import (
    checker_service_pb2,
    checker_service_pb2_grpc,
    policy_service_pb2,
    policy_service_pb2_grpc,
    validation_pb2,
    validation_service_pb2,
    validation_service_pb2_grpc,
)

DEFAULT_ADDRESS = "127.0.0.1:50051"
DEFAULT_TIMEOUT_SECONDS = 60.0
SERVICE_CONFIG = json.dumps(
    {
        "methodConfig": [
            {
                "name": [{"service": "absah.v1.ValidationService", "method": "Validate"}],
                "retryPolicy": {
                    "maxAttempts": 5,
                    "initialBackoff": "0.2s",
                    "maxBackoff": "5s",
                    "backoffMultiplier": 2,
                    "retryableStatusCodes": ["UNAVAILABLE"],
                },
            },
            {
                "name": [
                    {"service": "absah.v1.CheckerService"},
                    {"service": "absah.v1.PolicyService"},
                ],
                "retryPolicy": {
                    "maxAttempts": 4,
                    "initialBackoff": "0.1s",
                    "maxBackoff": "1s",
                    "backoffMultiplier": 2,
                    "retryableStatusCodes": ["UNAVAILABLE"],
                },
            },
        ]
    }
)
"""Retries of what is safe to send again: the server answers UNAVAILABLE only for what it has not
begun, and a validation has no effect but its answer."""
CHANNEL_OPTIONS = (
    ("grpc.service_config", SERVICE_CONFIG),
    ("grpc.enable_retries", 1),
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
)


def _credentials(
    secure: bool | grpc.ChannelCredentials,
) -> grpc.ChannelCredentials | None:
    if isinstance(secure, grpc.ChannelCredentials):
        return secure
    return grpc.ssl_channel_credentials() if secure else None


class Client:
    """A client that blocks; threads may share it.

    >>> with absah.Client("127.0.0.1:50051") as client:
    ...     validation = client.validate("field-report", photo="a.jpg", report=absah.Text("…"))

    Every method raises `CallFailed`.
    """

    def __init__(
        self,
        address: str = DEFAULT_ADDRESS,
        *,
        secure: bool | grpc.ChannelCredentials = False,
        timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
    ) -> None:
        credentials = _credentials(secure)
        options = list(CHANNEL_OPTIONS)
        self._channel = (
            grpc.secure_channel(address, credentials, options)
            if credentials
            else grpc.insecure_channel(address, options)
        )
        self._timeout_seconds = timeout_seconds
        self._validations = validation_service_pb2_grpc.ValidationServiceStub(self._channel)
        self._checkers = checker_service_pb2_grpc.CheckerServiceStub(self._channel)
        self._policies = policy_service_pb2_grpc.PolicyServiceStub(self._channel)

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
        """Validate documents, given by role: a path, bytes, `Text`, or a list of them."""
        message = request(
            policy,
            documents,
            checkers=checkers,
            claims=claims,
            request_id=request_id,
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
                yield answer.request_id, _either(answer)
        except grpc.RpcError as exc:
            raise from_rpc_error(exc) from exc

    def checkers(self) -> list[checker_service_pb2.Checker]:
        """All checkers of the server."""
        found, message = [], checker_service_pb2.ListCheckersRequest()
        while True:
            try:
                answer = self._checkers.ListCheckers(message, timeout=self._timeout_seconds)
            except grpc.RpcError as exc:
                raise from_rpc_error(exc) from exc
            found += answer.checkers
            message.page_token = answer.next_page_token
            if not message.page_token:
                return found

    def policies(self) -> list[policy_service_pb2.Policy]:
        """All versions of all policies of the server, without their source."""
        found, message = [], policy_service_pb2.ListPoliciesRequest()
        while True:
            try:
                answer = self._policies.ListPolicies(message, timeout=self._timeout_seconds)
            except grpc.RpcError as exc:
                raise from_rpc_error(exc) from exc
            found += answer.policies
            message.page_token = answer.next_page_token
            if not message.page_token:
                return found

    def policy(self, name: str) -> policy_service_pb2.Policy:
        """A policy with its source, by name ("field-report") or version ("field-report@1")."""
        message = policy_service_pb2.GetPolicyRequest(name=f"policies/{name}")
        try:
            answer = self._policies.GetPolicy(message, timeout=self._timeout_seconds)
        except grpc.RpcError as exc:
            raise from_rpc_error(exc) from exc
        policy: policy_service_pb2.Policy = answer.policy
        return policy

    def close(self) -> None:
        self._channel.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class AsyncClient:
    """A client for asyncio; cancelling a call frees its work on the server.

    >>> async with absah.AsyncClient("127.0.0.1:50051") as client:
    ...     validation = await client.validate("identity-card", identity="card.jpg")

    Every method raises `CallFailed`.
    """

    def __init__(
        self,
        address: str = DEFAULT_ADDRESS,
        *,
        secure: bool | grpc.ChannelCredentials = False,
        timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
    ) -> None:
        credentials = _credentials(secure)
        options = list(CHANNEL_OPTIONS)
        self._channel = (
            grpc.aio.secure_channel(address, credentials, options)
            if credentials
            else grpc.aio.insecure_channel(address, options)
        )
        self._timeout_seconds = timeout_seconds
        self._validations = validation_service_pb2_grpc.ValidationServiceStub(self._channel)

    async def validate(
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
        """Validate documents, given by role: a path, bytes, `Text`, or a list of them."""
        message = request(
            policy,
            documents,
            checkers=checkers,
            claims=claims,
            request_id=request_id,
            priority=priority,
            return_artifacts=return_artifacts,
        )
        return await self.send(message, timeout_seconds=timeout_seconds)

    async def send(
        self,
        message: validation_service_pb2.ValidateRequest,
        *,
        timeout_seconds: float | None = None,
    ) -> validation_pb2.Validation:
        """Send a request that was made by hand or by `absah.request`."""
        timeout = timeout_seconds or self._timeout_seconds
        try:
            answer = await self._validations.Validate(message, timeout=timeout)
        except grpc.RpcError as exc:
            raise from_rpc_error(exc) from exc
        validation: validation_pb2.Validation = answer.validation
        return validation

    async def validate_stream(
        self,
        messages: AsyncIterable[validation_service_pb2.ValidateRequest],
        *,
        timeout_seconds: float | None = None,
    ) -> AsyncIterator[tuple[str, validation_pb2.Validation | Exception]]:
        """Validate many requests; yields (request_id, validation or `CallFailed`) as they end."""

        async def wrapped() -> AsyncIterator[validation_service_pb2.ValidateStreamRequest]:
            async for message in messages:
                yield validation_service_pb2.ValidateStreamRequest(request=message)

        try:
            call = self._validations.ValidateStream(wrapped(), timeout=timeout_seconds)
            async for answer in call:
                yield answer.request_id, _either(answer)
        except grpc.RpcError as exc:
            raise from_rpc_error(exc) from exc

    async def close(self) -> None:
        await self._channel.close()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()


def _either(
    answer: validation_service_pb2.ValidateStreamResponse,
) -> validation_pb2.Validation | Exception:
    if answer.WhichOneof("result") == "error":
        return from_status(answer.error)
    return answer.validation
