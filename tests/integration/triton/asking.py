"""Ask drawn models of real Triton servers, with watches quick enough for tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tritonclient.grpc import aio

from absah_ops.triton.server import TritonServer
from absah_server.inference.triton.inference import TritonInference
from absah_server.inference.triton.watching import Watching

QUICK = Watching(interval_seconds=0.3, probe_seconds=5.0, shared_memory_bytes=0)
TURNS = 200_000
"""Turns of `spin` that take some tenths of a second."""


@asynccontextmanager
async def asking(
    repository: Path, *servers: TritonServer, **settings: Any
) -> AsyncIterator[TritonInference]:
    """A started `TritonInference` over these servers."""
    addresses = tuple(server.grpc_address for server in servers)
    inference = TritonInference(
        repository, **{"addresses": addresses, "watching": QUICK, "start_seconds": 5.0, **settings}
    )
    try:
        await inference.start()
        yield inference
    finally:
        await inference.close()


@asynccontextmanager
async def client_of(server: TritonServer) -> AsyncIterator[Any]:
    """Triton's own client, to look at a server from aside."""
    async with aio.InferenceServerClient(server.grpc_address) as client:
        yield client


async def executions(server: TritonServer, model: str) -> dict[int, int]:
    """How many batches of each size a model has run, by Triton's own statistics."""
    async with client_of(server) as client:
        (stats,) = (await client.get_inference_statistics(model)).model_stats
    return {batch.batch_size: batch.compute_infer.count for batch in stats.batch_stats}
