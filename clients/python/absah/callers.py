"""Tell the server who calls, with every call of a channel."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import grpc

TENANT_KEY = "absah-tenant"
CLIENT_KEY = "absah-client"


def metadata(tenant: str, client: str) -> tuple[tuple[str, str], ...]:
    """What a call carries; the server has defaults for what is empty."""
    pairs = ((TENANT_KEY, tenant), (CLIENT_KEY, client))
    return tuple((key, word) for key, word in pairs if word)


class Telling(
    grpc.UnaryUnaryClientInterceptor,
    grpc.UnaryStreamClientInterceptor,
    grpc.StreamUnaryClientInterceptor,
    grpc.StreamStreamClientInterceptor,
):
    """Adds the caller to the calls of a blocking channel."""

    def __init__(self, tenant: str, client: str) -> None:
        self._metadata = metadata(tenant, client)

    def _call(self, continuation: Callable[..., Any], details: Any, request: Any) -> Any:
        added = (*(details.metadata or ()), *self._metadata)
        return continuation(_Details(details, added), request)

    intercept_unary_unary: Any = _call
    intercept_unary_stream: Any = _call
    intercept_stream_unary: Any = _call
    intercept_stream_stream: Any = _call


class _Details(grpc.ClientCallDetails):
    """A call's details with other metadata."""

    def __init__(self, details: Any, changed: tuple[tuple[str, str], ...]) -> None:
        self.method = details.method
        self.timeout = details.timeout
        self.metadata = changed
        self.credentials = details.credentials
        self.wait_for_ready = details.wait_for_ready
        self.compression = details.compression


def interceptors(tenant: str, client: str) -> list[Telling]:
    """What a blocking channel needs to tell the caller: nothing where there is nothing to tell."""
    return [Telling(tenant, client)] if tenant or client else []


def aio_interceptors(
    tenant: str, client: str, metadata_of: Callable[[], Iterable[tuple[str, str]]] | None = None
) -> list[grpc.aio.ClientInterceptor]:
    """The same for a channel of asyncio, which takes one interceptor for each kind of call.

    `metadata_of` is asked at every call for what else it is to carry.
    """
    added = metadata(tenant, client)
    if not added and metadata_of is None:
        return []
    kinds = (_UnaryUnary, _UnaryStream, _StreamUnary, _StreamStream)
    return [kind(added, metadata_of) for kind in kinds]


class _Aio:
    def __init__(
        self,
        added: tuple[tuple[str, str], ...],
        metadata_of: Callable[[], Iterable[tuple[str, str]]] | None,
    ) -> None:
        self._added = added
        self._metadata_of = metadata_of

    async def _call(self, continuation: Callable[..., Any], details: Any, request: Any) -> Any:
        more = self._metadata_of() if self._metadata_of else ()
        told = grpc.aio.Metadata(*(details.metadata or ()), *self._added, *more)
        return await continuation(details._replace(metadata=told), request)


class _UnaryUnary(_Aio, grpc.aio.UnaryUnaryClientInterceptor):
    intercept_unary_unary: Any = _Aio._call


class _UnaryStream(_Aio, grpc.aio.UnaryStreamClientInterceptor):
    intercept_unary_stream: Any = _Aio._call


class _StreamUnary(_Aio, grpc.aio.StreamUnaryClientInterceptor):
    intercept_stream_unary: Any = _Aio._call


class _StreamStream(_Aio, grpc.aio.StreamStreamClientInterceptor):
    intercept_stream_stream: Any = _Aio._call
