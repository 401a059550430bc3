"""A core that accepts every validation and has its verdict at once; prints its port."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc

from absah.v1 import validation_pb2, validation_service_pb2, validation_service_pb2_grpc


class Accepting(validation_service_pb2_grpc.ValidationServiceServicer):
    """Answers CreateValidation alone."""

    async def CreateValidation(  # noqa: N802
        self, request: validation_service_pb2.CreateValidationRequest, context: Any
    ) -> validation_service_pb2.CreateValidationResponse:
        response = validation_service_pb2.CreateValidationResponse()
        made = response.validation
        made.name = f"validations/{request.request.request_id}"
        made.request_id = request.request.request_id
        made.state = validation_pb2.STATE_SUCCEEDED
        made.verdict.decision = validation_pb2.DECISION_ACCEPT
        return response


async def main() -> None:
    server = grpc.aio.server()
    validation_service_pb2_grpc.add_ValidationServiceServicer_to_server(Accepting(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(port, flush=True)
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(main())
