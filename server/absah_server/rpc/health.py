"""grpc.health.v1, whose watchers are let go when the server drains."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2

Context = grpc.aio.ServicerContext[Any, Any]
LAST_WORD_SECONDS = 1.0
"""How long watchers are given to hear NOT_SERVING before their streams end."""


class HealthServicer(health.aio.HealthServicer):  # type: ignore[misc]
    """Tells health per service. A stream that is watched for ever would hold up the drain."""

    def __init__(self) -> None:
        super().__init__()
        self._closing = asyncio.Event()

    async def Watch(  # noqa: N802
        self, request: health_pb2.HealthCheckRequest, context: Context
    ) -> None:
        watching = asyncio.ensure_future(super().Watch(request, context))
        closing = asyncio.ensure_future(self._closing.wait())
        try:
            await asyncio.wait((watching, closing), return_when=asyncio.FIRST_COMPLETED)
            if watching.done():
                watching.result()
            else:
                await asyncio.sleep(LAST_WORD_SECONDS)
        finally:
            closing.cancel()
            watching.cancel()

    async def tell(self, service: str, *, serving: bool) -> None:
        """Say how a service is."""
        status = health_pb2.HealthCheckResponse
        await self.set(service, status.SERVING if serving else status.NOT_SERVING)

    async def close(self) -> None:
        """Say NOT_SERVING for every service, for good, and end the streams of those who watch."""
        await self.enter_graceful_shutdown()
        self._closing.set()
