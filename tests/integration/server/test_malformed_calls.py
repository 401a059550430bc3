"""Bytes that are no request, and requests that are too much, are refused for a reason."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from google.protobuf import descriptor_pool
from grpc_health.v1 import health
from support import Length, Slow, make_settings, running_server

import absah
from absah.errors import from_rpc_error
from absah.v1 import validation_service_pb2 as pb2
from absah.v1 import validation_service_pb2_grpc

NO_MESSAGE = b"\xff" * 100
SERVICE = "/absah.v1.ValidationService"
SERVICES = (
    *("absah.v1.ValidationService", "absah.v1.CheckerService", "absah.v1.PolicyService"),
    health.SERVICE_NAME,
)


@pytest.fixture
async def address(tmp_path: Path) -> AsyncIterator[str]:
    settings = make_settings(tmp_path, max_running=2, max_held_bytes=1000)
    async with running_server(settings, (Length, Slow)) as bound:
        yield bound


@pytest.fixture
async def channel(address: str) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(address, [("grpc.max_send_message_length", -1)]) as opened:
        yield opened


async def one(content: bytes) -> AsyncIterator[bytes]:
    yield content


def for_length(request_id: str, text: str = "halo") -> pb2.ValidateRequest:
    return absah.request(
        "", {"report": absah.Text(text)}, checkers=["length"], request_id=request_id
    )


async def test_bytes_that_are_no_request_are_refused_and_log_no_error(
    channel: grpc.aio.Channel, caplog: pytest.LogCaptureFixture
) -> None:
    services = [descriptor_pool.Default().FindServiceByName(name) for name in SERVICES]
    methods = [method for service in services for method in service.methods]
    assert len(methods) > 10
    for method in methods:
        path = f"/{method.containing_service.full_name}/{method.name}"
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            async for _ in channel.stream_stream(path)(one(NO_MESSAGE), timeout=10):
                pass
        told = from_rpc_error(refused.value)
        assert told.code is grpc.StatusCode.INVALID_ARGUMENT, path
        assert told.reason == "INVALID_REQUEST"
    assert not [r for r in caplog.records if r.levelno >= logging.ERROR]


async def test_a_stream_answers_what_came_before_bytes_that_are_no_request(
    channel: grpc.aio.Channel, caplog: pytest.LogCaptureFixture
) -> None:
    async def messages() -> AsyncIterator[bytes]:
        for number in range(3):
            message = pb2.ValidateStreamRequest(request=for_length(f"r-{number}"))
            yield message.SerializeToString()
        yield NO_MESSAGE
        await asyncio.sleep(10)

    call = channel.stream_stream(
        f"{SERVICE}/ValidateStream",
        response_deserializer=pb2.ValidateStreamResponse.FromString,
    )(messages(), timeout=20)
    answered = []
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        async for response in call:
            answered.append(response.request_id)
    assert sorted(answered) == ["r-0", "r-1", "r-2"]
    assert from_rpc_error(refused.value).reason == "INVALID_REQUEST"
    assert not [r for r in caplog.records if r.levelno >= logging.ERROR]


async def test_a_call_without_a_request_is_refused(channel: grpc.aio.Channel) -> None:
    async def nothing() -> AsyncIterator[bytes]:
        for _ in ():
            yield b""

    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await channel.stream_unary(f"{SERVICE}/Validate")(nothing(), timeout=10)
    assert from_rpc_error(refused.value).reason == "INVALID_REQUEST"


async def test_a_method_that_no_service_has_is_unimplemented(channel: grpc.aio.Channel) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await channel.unary_unary(f"{SERVICE}/Nothing")(b"", timeout=10)
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_a_policy_with_a_name_of_a_mebibyte_is_not_found(address: str) -> None:
    async with absah.AsyncClient(address) as client:
        with pytest.raises(absah.CallFailed) as refused:
            await client.validate("p" * 2**20, report=absah.Text("x"))
    assert refused.value.reason == "POLICY_NOT_FOUND"


async def test_compressed_requests_are_refused_before_they_are_unpacked(
    channel: grpc.aio.Channel,
) -> None:
    stub = validation_service_pb2_grpc.ValidationServiceStub(channel)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await stub.Validate(for_length("r"), timeout=10, compression=grpc.Compression.Gzip)
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED
    assert "gzip" in (refused.value.details() or "")


async def test_more_bytes_than_the_server_holds_are_refused_until_it_has_room(
    address: str,
) -> None:
    async with absah.AsyncClient(address) as client:
        busy = asyncio.create_task(
            client.validate(checkers=["slow"], report=absah.Text("0.5".ljust(900)))
        )
        await asyncio.sleep(0.2)
        with pytest.raises(absah.CallFailed) as refused:
            await client.validate(checkers=["length"], report=absah.Text("x" * 200))
        assert refused.value.code is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert refused.value.reason == "OVERLOADED"
        assert refused.value.retry_after_seconds
        await client.validate(checkers=["length"], report=absah.Text("x" * 50))
        await busy
        await client.validate(checkers=["length"], report=absah.Text("x" * 200))


async def test_a_stream_waits_for_room_where_a_call_is_refused(address: str) -> None:
    async def requests() -> AsyncIterator[pb2.ValidateRequest]:
        for number in range(8):
            yield for_length(f"r-{number}", "x" * 700)

    async with absah.AsyncClient(address) as client:
        answers = [
            answer async for _, answer in client.validate_stream(requests(), timeout_seconds=30)
        ]
    assert len(answers) == 8
    assert not [answer for answer in answers if isinstance(answer, absah.CallFailed)]
