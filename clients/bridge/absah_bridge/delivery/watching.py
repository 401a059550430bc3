"""Look now and then at the broker's queues and at the core, for metrics and health."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from absah_bridge.delivery import amqp
from absah_bridge.delivery.status import Status

log = logging.getLogger(__name__)

QUEUE_SECONDS = 10.0
CORE_SECONDS = 5.0
SERVICE = "absah.v1.ValidationService"


async def queues(connection: amqp.Connection, names: Iterable[str], status: Status) -> None:
    """Keep `status.queued` true of these until the connection is lost."""
    names = list(names)
    while True:
        try:
            counts = await _counts(connection, names)
            status.queued = {**status.queued, **counts}
        except amqp.ChannelClosed as exc:
            log.warning("queue not seen", extra={"why": str(exc)})
        except amqp.ConnectionLost:
            return
        await asyncio.sleep(QUEUE_SECONDS)


async def _counts(connection: amqp.Connection, names: list[str]) -> dict[str, int]:
    channel = await connection.channel()
    counts = {}
    for name in names:
        frame = await amqp.call(connection, channel.queue_declare, queue=name, passive=True)
        counts[name] = int(frame.method.message_count)
    if channel.is_open:
        channel.close()
    return counts


async def core(address: str, status: Status) -> None:
    """Keep `status.core_serving` true, by the core's own word."""
    # Without it a core that was away for long is found minutes after it came back.
    options = [("grpc.max_reconnect_backoff_ms", int(CORE_SECONDS * 1000))]
    async with grpc.aio.insecure_channel(address, options) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        request = health_pb2.HealthCheckRequest(service=SERVICE)
        while True:
            try:
                answer = await stub.Check(request, timeout=CORE_SECONDS, wait_for_ready=True)
                serving = answer.status == health_pb2.HealthCheckResponse.SERVING
            except grpc.aio.AioRpcError as exc:
                # A server that has no health service says so, and is there.
                serving = exc.code() in (
                    grpc.StatusCode.UNIMPLEMENTED,
                    grpc.StatusCode.NOT_FOUND,
                )
            if serving != status.core_serving:
                log.info("core", extra={"serving": serving})
            status.core_serving = serving
            await asyncio.sleep(CORE_SECONDS)
