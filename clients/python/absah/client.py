"""Clients of an Absah server, sync and async."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any

import grpc

from absah import channels
from absah.async_validations import AsyncValidationCalls
from absah.catalog import AsyncCatalogCalls, CatalogCalls
from absah.channels import DEFAULT_ADDRESS
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

DEFAULT_TIMEOUT_SECONDS = 60.0


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
        self._channel = channels.blocking(address, secure=secure, tenant=tenant, client=client)
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
        self._channel: Any = channels.asynchronous(
            address, secure=secure, tenant=tenant, client=client, metadata=metadata
        )
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
