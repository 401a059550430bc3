"""The two servers of `core_vs_bare_echo`: `python servers.py length|echo` prints the port."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

import grpc

from absah.v1 import validation_service_pb2, validation_service_pb2_grpc
from absah_server import app

sys.path.insert(0, str(Path(__file__).parents[1]))
from support import Length, make_registry, make_settings


class Echo(validation_service_pb2_grpc.ValidationServiceServicer):
    """Answers at once, with as many bytes as a small validation has."""

    async def Validate(  # noqa: N802
        self,
        request: validation_service_pb2.ValidateRequest,
        context: grpc.aio.ServicerContext,  # type: ignore[type-arg]
    ) -> validation_service_pb2.ValidateResponse:
        answer = validation_service_pb2.ValidateResponse()
        answer.validation.request_id = request.documents[0].text
        return answer


async def echo() -> None:
    server = grpc.aio.server()
    validation_service_pb2_grpc.add_ValidationServiceServicer_to_server(Echo(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(port, flush=True)
    await server.wait_for_termination()


async def length() -> None:
    with tempfile.TemporaryDirectory() as folder:
        await app.serve(
            make_settings(Path(folder)),
            ready=lambda port: print(port, flush=True),
            loaded=make_registry(Length),
        )


asyncio.run({"echo": echo, "length": length}[sys.argv[1]]())
