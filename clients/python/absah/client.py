"""Clients of an Absah server, sync and async."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any

import grpc

from absah.async_validations import AsyncValidationCalls
from absah.callers import TellingChannel, interceptors
from absah.catalog import AsyncCatalogCalls, CatalogCalls
from absah.dead_letters import AsyncMessageCalls
from absah.reviewing import AsyncReviewCalls, ReviewCalls
from absah.uploading import AsyncDocumentCalls, DocumentCalls
from absah.v1 import (
    checker_service_pb2_grpc,
    document_service_pb2_grpc,
    policy_service_pb2_grpc,
    review_service_pb2_grpc,
    validation_service_pb2_grpc,
)
from absah.validations import ValidationCalls

DEFAULT_ADDRESS = "127.0.0.1:50051"
DEFAULT_TIMEOUT_SECONDS = 60.0
SERVICE_CONFIG = json.dumps(
    {
        "methodConfig": [
            {
                "name": [
                    {"service": "absah.v1.ValidationService", "method": "Validate"},
                    {"service": "absah.v1.ValidationService", "method": "CreateValidation"},
                ],
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
                    {"service": "absah.v1.ValidationService"},
                    {"service": "absah.v1.CheckerService"},
                    {"service": "absah.v1.PolicyService"},
                    {"service": "absah.v1.DocumentService", "method": "GetDocument"},
                    {"service": "absah.v1.DocumentService", "method": "DeleteDocument"},
                    {"service": "absah.v1.ReviewService", "method": "ListReviews"},
                    {"service": "absah.v1.ReviewService", "method": "GetReview"},
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
"""Retries of what is safe to send again: the server answers UNAVAILABLE for what it has not begun,
or could not record for certain, and what has a request id is recorded once."""
CHANNEL_OPTIONS = (
    ("grpc.service_config", SERVICE_CONFIG),
    ("grpc.enable_retries", 1),
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    # A server that was away for long is found soon, one that vanished without a word is missed.
    ("grpc.max_reconnect_backoff_ms", 5_000),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
)


def channel_credentials(
    secure: bool | grpc.ChannelCredentials,
) -> grpc.ChannelCredentials | None:
    """What to secure a channel with; None for one that is not."""
    if isinstance(secure, grpc.ChannelCredentials):
        return secure
    return grpc.ssl_channel_credentials() if secure else None


class Client(ValidationCalls, DocumentCalls, ReviewCalls, CatalogCalls):
    """A client that blocks; threads may share it.

    >>> with absah.Client("127.0.0.1:50051") as client:
    ...     validation = client.validate("field-report", photo="a.jpg", report=absah.Text("…"))

    `tenant` and `client` are who calls. Every method raises `CallFailed`.
    """

    def __init__(
        self,
        address: str = DEFAULT_ADDRESS,
        *,
        secure: bool | grpc.ChannelCredentials = False,
        timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
        tenant: str = "",
        client: str = "",
    ) -> None:
        credentials = channel_credentials(secure)
        options = list(CHANNEL_OPTIONS)
        self._channel = (
            grpc.secure_channel(address, credentials, options)
            if credentials
            else grpc.insecure_channel(address, options)
        )
        self._channel = grpc.intercept_channel(self._channel, *interceptors(tenant, client))
        self._timeout_seconds = timeout_seconds
        self._validations = validation_service_pb2_grpc.ValidationServiceStub(self._channel)
        self._documents = document_service_pb2_grpc.DocumentServiceStub(self._channel)
        self._checkers = checker_service_pb2_grpc.CheckerServiceStub(self._channel)
        self._policies = policy_service_pb2_grpc.PolicyServiceStub(self._channel)
        self._reviews = review_service_pb2_grpc.ReviewServiceStub(self._channel)

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


class AsyncClient(
    AsyncValidationCalls,
    AsyncDocumentCalls,
    AsyncReviewCalls,
    AsyncCatalogCalls,
    AsyncMessageCalls,
):
    """A client for asyncio; cancelling a call frees its work on the server.

    >>> async with absah.AsyncClient("127.0.0.1:50051") as client:
    ...     validation = await client.validate("identity-card", identity="card.jpg")

    `tenant` and `client` are who calls; `metadata` is asked at every call for what else it is to
    carry, such as a trace's context. Every method raises `CallFailed`.
    """

    def __init__(
        self,
        address: str = DEFAULT_ADDRESS,
        *,
        secure: bool | grpc.ChannelCredentials = False,
        timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
        tenant: str = "",
        client: str = "",
        metadata: Callable[[], Iterable[tuple[str, str]]] | None = None,
    ) -> None:
        credentials = channel_credentials(secure)
        options = list(CHANNEL_OPTIONS)
        channel = (
            grpc.aio.secure_channel(address, credentials, options)
            if credentials
            else grpc.aio.insecure_channel(address, options)
        )
        self._channel: Any = TellingChannel(channel, tenant, client, metadata)
        self._timeout_seconds = timeout_seconds
        self._validations = validation_service_pb2_grpc.ValidationServiceStub(self._channel)
        self._documents = document_service_pb2_grpc.DocumentServiceStub(self._channel)
        self._checkers = checker_service_pb2_grpc.CheckerServiceStub(self._channel)
        self._policies = policy_service_pb2_grpc.PolicyServiceStub(self._channel)
        self._reviews = review_service_pb2_grpc.ReviewServiceStub(self._channel)

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
