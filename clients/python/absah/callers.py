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


class TellingChannel:
    """Adds the caller to the calls of a channel of asyncio.

    Not by interceptors, which cost a task for each call. `more` is asked at every call for what
    else it is to carry.
    """

    def __init__(
        self,
        channel: grpc.aio.Channel,
        tenant: str,
        client: str,
        more: Callable[[], Iterable[tuple[str, str]]] | None = None,
    ) -> None:
        self._channel = channel
        self._metadata = metadata(tenant, client)
        self._more = more
        self.unary_unary: Any = self._telling(channel.unary_unary)
        self.unary_stream: Any = self._telling(channel.unary_stream)
        self.stream_unary: Any = self._telling(channel.stream_unary)
        self.stream_stream: Any = self._telling(channel.stream_stream)

    async def close(self) -> None:
        """Close the channel."""
        await self._channel.close()

    def _telling(self, make: Callable[..., Any]) -> Callable[..., Any]:
        def made(*arguments: Any, **named: Any) -> Callable[..., Any]:
            call = make(*arguments, **named)

            def told(request: Any, *, metadata: Any = (), **options: Any) -> Any:
                more = self._more() if self._more else ()
                return call(
                    request, metadata=(*(metadata or ()), *self._metadata, *more), **options
                )

            return told

        return made
