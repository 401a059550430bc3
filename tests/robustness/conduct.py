"""Clients that misbehave: they cancel, leave, crowd in, stop reading, or speak no gRPC at all."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import AsyncIterable, AsyncIterator

import grpc
import misbehaving
from asking import VALIDATE, VALIDATE_STREAM
from misbehaving import WRONG, Tally, Target, code, tell
from misbehaving import told as told_of
from pictures import encoded, scene
from serving import Server
from submissions import REPORT

import absah
from absah.errors import from_status
from absah.v1 import validation_service_pb2 as pb2
from absah.v1 import validation_service_pb2_grpc

MIB = 2**20
Stub = validation_service_pb2_grpc.ValidationServiceStub


async def cancel_midway(target: Target) -> Tally:
    """Three thousand small requests, each given up a moment after it was sent."""
    tally: Tally = Counter()
    message = _text_request(target)
    async with misbehaving.channel(target.server) as channel:
        for number in range(3000):
            call = Stub(channel).Validate(message, timeout=30)
            await asyncio.sleep(number % 20 / 5000)
            call.cancel()
            try:
                await call
                tally["OK"] += 1
            except asyncio.CancelledError:
                tally["CANCELLED"] += 1
            except grpc.RpcError as exc:
                tally[code(exc)] += 1
    return tally


async def leave_streams_midway(target: Target) -> Tally:
    """Two hundred streams that end while their requests are under way."""
    tally: Tally = Counter()
    async with misbehaving.channel(target.server) as channel:
        for number in range(200):
            call = Stub(channel).ValidateStream(timeout=30)
            for request in range(10):
                message = _picture_request(target, str(request))
                await call.write(pb2.ValidateStreamRequest(request=message))
                if request == number % 10:
                    break
            await asyncio.sleep(number % 10 / 100)
            call.cancel()
            tally["left"] += 1
    return tally


async def never_read_a_stream(target: Target) -> Tally:
    """A stream of many requests whose answers nobody reads for some time."""
    tally: Tally = Counter()
    async with misbehaving.channel(target.server) as channel:
        call = Stub(channel).ValidateStream(_many(target, 500), timeout=120)
        await asyncio.sleep(5)
        await _read(call, tally)
    return tally


async def repeat_ids_on_a_stream(target: Target) -> Tally:
    """A stream whose requests all have the same id, or none."""

    async def requests() -> AsyncIterator[pb2.ValidateStreamRequest]:
        for number in range(200):
            yield pb2.ValidateStreamRequest(
                request=_text_request(target, "same" if number % 2 else "")
            )
        yield pb2.ValidateStreamRequest()

    tally: Tally = Counter()
    async with misbehaving.channel(target.server) as channel:
        await _read(Stub(channel).ValidateStream(requests(), timeout=60), tally)
    return tally


async def ask_for_too_little_time(target: Target) -> Tally:
    """Requests with deadlines from a millisecond on."""
    tally: Tally = Counter()
    async with misbehaving.channel(target.server) as channel:
        for milliseconds in [1, 2, 5, 10, 20, 50, 100] * 15:
            await tell(
                tally,
                Stub(channel).Validate(_picture_request(target), timeout=milliseconds / 1000),
            )
    return tally


async def crowd_in(target: Target) -> Tally:
    """Three hundred pictures at once; what the queue does not hold is refused."""
    tally: Tally = Counter()
    async with misbehaving.channel(target.server) as channel:
        await asyncio.gather(
            *(
                tell(tally, Stub(channel).Validate(_picture_request(target), timeout=30))
                for _ in range(300)
            )
        )
    return tally


async def crowd_in_with_bombs(target: Target) -> Tally:
    """A dozen pictures of 49 megapixels at once."""
    tally: Tally = Counter()
    bomb = encoded(scene(64, 48).resize((7000, 7000)), "JPEG", quality=50)
    message = absah.request("", {"photo": bomb}, checkers=target.picture_checkers)
    async with misbehaving.channel(target.server) as channel:
        await asyncio.gather(
            *(tell(tally, Stub(channel).Validate(message, timeout=60)) for _ in range(12))
        )
    return tally


async def crowd_in_with_large_files(target: Target) -> Tally:
    """Two dozen files at once that nearly are too long; what may not be held is refused."""
    tally: Tally = Counter()
    message = _large_request(target)
    async with misbehaving.channel(target.server) as channel:
        await asyncio.gather(
            *(tell(tally, Stub(channel).Validate(message, timeout=60)) for _ in range(24))
        )
    return tally


async def crowd_in_with_large_files_on_streams(target: Target) -> Tally:
    """Such files on eight streams, three on each; a stream waits instead of being refused."""

    async def requests() -> AsyncIterator[pb2.ValidateStreamRequest]:
        for number in range(3):
            yield pb2.ValidateStreamRequest(request=_large_request(target, f"r-{number}"))

    tally: Tally = Counter()
    async with misbehaving.channel(target.server) as channel:
        streams = [Stub(channel).ValidateStream(requests(), timeout=60) for _ in range(8)]
        await asyncio.gather(*(_read(stream, tally) for stream in streams))
    return tally


async def send_compressed_zeros(target: Target) -> Tally:
    """Messages of 256 MiB that travel as a quarter of a megabyte, and may not be unpacked."""
    tally: Tally = Counter()
    zeros = bytes(256 * MIB)
    before = target.server.memory_bytes()
    async with misbehaving.channel(target.server) as channel:
        call = channel.unary_unary(VALIDATE)
        with target.server.peak() as peak:
            for _ in range(4):
                told: Tally = Counter()
                await tell(told, call(zeros, timeout=60, compression=grpc.Compression.Gzip))
                tally.update({f"said {answer}": count for answer, count in told.items()})
    if peak[0] - before > len(zeros) / 2:
        tally[f"{WRONG}: unpacked"] += 1
    return tally


async def send_endless_metadata(target: Target) -> Tally:
    """Headers beyond what a server need read; gRPC itself refuses them."""
    tally: Tally = Counter()
    async with misbehaving.channel(target.server) as channel:
        for metadata in ((("x", "y" * 2**20),), (("x", "y"),) * 50_000):
            call = Stub(channel).Validate(_text_request(target), timeout=30, metadata=metadata)
            await tell(tally, call)
    return tally


async def call_what_is_not_there(target: Target) -> Tally:
    """Methods that no service has, of which gRPC itself says so, and a stream of no message."""
    tally: Tally = Counter()
    async with misbehaving.channel(target.server) as channel:
        for method in ("/absah.v1.ValidationService/No", "/x", "/" + "a" * 5000, VALIDATE + "/"):
            told: Tally = Counter()
            await tell(told, channel.unary_unary(method)(b"", timeout=30))
            tally.update({f"said {answer}": count for answer, count in told.items()})
        await tell(tally, channel.unary_unary(VALIDATE_STREAM)(b"\xff" * 100, timeout=30))
    return tally


async def speak_no_http2(target: Target) -> Tally:
    """Bytes that are no HTTP/2, on a hundred connections."""
    greetings = (
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
        bytes(100_000),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 10_000,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x06\x04\x00\x00\x00\x00\x00" * 3000,
    )
    for number in range(100):
        with _connected(target.server) as connection:
            try:
                connection.sendall(greetings[number % len(greetings)])
                connection.recv(1000)
            except OSError:
                continue  # it hung up, as it should
    return Counter(connections=100)


async def hold_connections_open(target: Target) -> Tally:
    """Three hundred connections that say nothing, and a request beside them."""
    tally: Tally = Counter()
    held = [_connected(target.server) for _ in range(300)]
    async with misbehaving.channel(target.server) as channel:
        await tell(tally, Stub(channel).Validate(_text_request(target), timeout=30))
    for connection in held:
        connection.close()
    return tally


def _connected(server: Server) -> socket.socket:
    host, port = server.address.rsplit(":", 1)
    return socket.create_connection((host, int(port)), timeout=5)


def _text_request(target: Target, request_id: str = "") -> pb2.ValidateRequest:
    documents = {"report": absah.Text(REPORT)}
    return absah.request("", documents, checkers=[target.text_checker], request_id=request_id)


def _picture_request(target: Target, request_id: str = "") -> pb2.ValidateRequest:
    picture = encoded(scene(320, 240), "JPEG")
    return absah.request(
        "", {"photo": picture}, checkers=target.picture_checkers, request_id=request_id
    )


def _large_request(target: Target, request_id: str = "") -> pb2.ValidateRequest:
    large = encoded(scene(64, 48), "JPEG") + bytes(30 * MIB)
    return absah.request(
        "", {"photo": large}, checkers=target.picture_checkers, request_id=request_id
    )


async def _many(target: Target, count: int) -> AsyncIterator[pb2.ValidateStreamRequest]:
    for number in range(count):
        yield pb2.ValidateStreamRequest(request=_text_request(target, f"r-{number}"))


async def _read(stream: AsyncIterable[pb2.ValidateStreamResponse], tally: Tally) -> None:
    try:
        async for answer in stream:
            tally[told_of(from_status(answer.error)) if answer.HasField("error") else "OK"] += 1
    except grpc.RpcError as exc:
        tally[f"stream {code(exc)}"] += 1


WAYS = (
    cancel_midway,
    leave_streams_midway,
    never_read_a_stream,
    repeat_ids_on_a_stream,
    ask_for_too_little_time,
    crowd_in,
    crowd_in_with_bombs,
    crowd_in_with_large_files,
    crowd_in_with_large_files_on_streams,
    send_compressed_zeros,
    send_endless_metadata,
    call_what_is_not_there,
    speak_no_http2,
    hold_connections_open,
)
