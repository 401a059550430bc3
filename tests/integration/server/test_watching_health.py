"""Who watches health hears the end, and does not hold it up."""

from __future__ import annotations

import asyncio
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from support import Length, make_registry, make_settings

from absah_server import app


async def test_a_watcher_hears_that_the_server_drains_and_its_stream_ends(tmp_path: Path) -> None:
    settings = make_settings(tmp_path, drain_seconds=600)
    bound: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()
    serving = asyncio.create_task(
        app.serve(
            settings,
            ready=bound.set_result,
            stop=stop,
            on_signals=False,
            loaded=make_registry(Length),
        )
    )
    async with grpc.aio.insecure_channel(f"127.0.0.1:{await bound}") as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        call = stub.Watch(health_pb2.HealthCheckRequest(service=""))
        states = health_pb2.HealthCheckResponse
        assert (await call.read()).status == states.SERVING
        stop.set()
        assert (await call.read()).status == states.NOT_SERVING
        assert await call.read() is grpc.aio.EOF
    # Would take the whole drain, ten minutes, if the stream held it up.
    async with asyncio.timeout(60):
        await serving
