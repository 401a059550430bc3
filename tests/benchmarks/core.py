"""What the core costs: a trivial check through the whole server against a bare gRPC echo."""

from __future__ import annotations

import asyncio
import time

import grpc
from measuring import HERE, Figure, alternate, line_of, process

import absah
from absah.v1 import validation_service_pb2_grpc

CLIENTS = 16
CALLS = 1600
TEXT = "Rapat koordinasi dilaksanakan di aula kecamatan. " * 3


def core_vs_bare_echo() -> Figure:
    with (
        process(str(HERE / "servers.py"), "length") as ours,
        process(str(HERE / "servers.py"), "echo") as theirs,
    ):
        ports = line_of(ours), line_of(theirs)
        rates = alternate(lambda: calls_a_second(ports[0]), lambda: calls_a_second(ports[1]))
    return Figure(
        name="core_vs_bare_echo",
        ours=rates[0],
        theirs=rates[1],
        unit="calls/s",
        at_least=0.4,
        note=f"a text check through the server, {CLIENTS} clients, against a grpc.aio echo",
    )


def calls_a_second(port: str) -> float:
    return asyncio.run(_calls_a_second(port))


async def _calls_a_second(port: str) -> float:
    request = absah.request("", {"report": absah.Text(TEXT)}, checkers=["length"])
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = validation_service_pb2_grpc.ValidationServiceStub(channel)
        await stub.Validate(request, timeout=30)

        async def client() -> None:
            for _ in range(CALLS // CLIENTS):
                await stub.Validate(request, timeout=30)

        began = time.perf_counter()
        await asyncio.gather(*(client() for _ in range(CLIENTS)))
        return CALLS / (time.perf_counter() - began)
