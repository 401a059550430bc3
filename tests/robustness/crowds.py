"""Clients that misbehave with what is kept: uploads, downloads, validations for later, watching."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
from collections import Counter
from collections.abc import AsyncIterator

import grpc
import misbehaving
import raw
import uploads
from misbehaving import WRONG, Tally, Target
from submissions import REPORT

import absah
from absah.v1 import document_service_pb2 as documents
from absah.v1 import document_service_pb2_grpc, validation_service_pb2_grpc
from absah.v1 import validation_service_pb2 as validations

MIB = 2**20
STREAMS = 1000
CREATED = 5000
WATCHING = 500
DOWNLOADS = 20
LIST = "/absah.v1.ValidationService/ListValidations"
ODD_BYTES = (
    *(b"\0", b"a\0b", b"a\r\nabsah-tenant: b", b"\xff\xfe", b"\xc3\xa9", b"\x7f", b"\x1b[2J"),
    *(b"\x80" * 300, b" a", b"a" * 5000),
)
Documents = document_service_pb2_grpc.DocumentServiceStub
Validations = validation_service_pb2_grpc.ValidationServiceStub


async def abandon_uploads(target: Target) -> Tally:
    """A thousand uploads that begin and say no more; when they are left there is room again."""
    return await _abandoned(target, [uploads.header(uploads.CONTENT), uploads.chunks(b"begun")[0]])


async def abandon_uploads_without_a_word(target: Target) -> Tally:
    """A thousand uploads that do not even begin."""
    return await _abandoned(target, [])


async def _abandoned(target: Target, messages: list[documents.UploadDocumentRequest]) -> Tally:
    tally: Tally = Counter()
    left = asyncio.Event()

    async def begun() -> AsyncIterator[documents.UploadDocumentRequest]:
        for message in messages:
            yield message
        await left.wait()

    async with misbehaving.channel(target.server) as channel:
        calls = [Documents(channel).UploadDocument(begun(), timeout=50) for _ in range(STREAMS)]
        await asyncio.sleep(3)
        for call in calls:
            if not call.done():
                call.cancel()
                tally["left"] += 1
                continue
            await misbehaving.tell(tally, call)
        left.set()
    await _upload_is_taken(target, tally)
    return tally


async def upload_the_same_at_once(target: Target) -> Tally:
    """Eight uploaders of one content, four of each tenant; each has it in the end."""
    tally: Tally = Counter()
    content = os.urandom(5 * MIB)
    name = f"documents/{hashlib.sha256(content).hexdigest()}"

    async def upload(tenant: str) -> None:
        async with absah.AsyncClient(target.server.address, tenant=tenant) as client:
            try:
                await client.upload(content)
                same = await client.download(name) == content
                tally["OK" if same else f"{WRONG}: other bytes"] += 1
            except absah.CallFailed as exc:
                tally[misbehaving.told(exc)] += 1

    await asyncio.gather(*(upload(tenant) for tenant in ("dinas-a", "dinas-b") * 4))
    return tally


async def never_read_downloads(target: Target) -> Tally:
    """Twenty downloads that nobody reads, then left; then there is room for another."""
    tally: Tally = Counter()
    content = os.urandom(30 * MIB)
    async with absah.AsyncClient(target.server.address) as client:
        name = (await client.upload(content)).name
        async with misbehaving.channel(target.server) as channel:
            message = documents.DownloadDocumentRequest(name=name)
            calls = [Documents(channel).DownloadDocument(message) for _ in range(DOWNLOADS)]
            await asyncio.sleep(5)
            for call in calls:
                await _left(call, tally)
        same = await client.download(name) == content
        tally["then OK" if same else f"{WRONG}: other bytes"] += 1
        await client.delete_document(name)
    return tally


async def never_read_watches(target: Target) -> Tally:
    """Hundreds that watch one validation and read nothing, until they leave."""
    tally: Tally = Counter()
    async with absah.AsyncClient(target.server.address) as client:
        made = await client.submit(_request(target, "watched", "diamati"))
        message = validations.WatchValidationRequest(name=made.name)
        async with misbehaving.channel(target.server) as channel:
            calls = [Validations(channel).WatchValidation(message) for _ in range(WATCHING)]
            await asyncio.sleep(3)
            for call in calls:
                await _left(call, tally)
        await client.wait_for_validation(made.name, timeout_seconds=60)
        tally["then OK"] += 1
    return tally


async def crowd_in_to_be_kept(target: Target) -> Tally:
    """Five thousand validations for later at once; each that is accepted is kept and ends."""
    tally: Tally = Counter()
    accepted: list[str] = []

    async def create(number: int) -> None:
        message = _request(target, f"crowd-{number}", f"laporan ke-{number % 50}")
        request = validations.CreateValidationRequest(request=message)
        try:
            answer = await Validations(channel).CreateValidation(request, timeout=60)
            accepted.append(answer.validation.name)
            tally["OK"] += 1
        except grpc.RpcError as exc:
            tally[misbehaving.code(exc)] += 1

    async with misbehaving.channel(target.server) as channel:
        await asyncio.gather(*(create(number) for number in range(CREATED)))
    if len(set(accepted)) != len(accepted):
        tally[f"{WRONG}: two under one name"] += 1
    async with absah.AsyncClient(target.server.address) as client:
        for name in accepted[-1:]:
            await client.wait_for_validation(name, timeout_seconds=300)
            tally["ended"] += 1
    return tally


async def reuse_a_request_id(target: Target) -> Tally:
    """A hundred requests of one id at once, then a hundred of other content under it."""
    tally: Tally = Counter()
    names: set[str] = set()

    async def create(text: str) -> None:
        request = validations.CreateValidationRequest(request=_request(target, "same", text))
        try:
            answer = await Validations(channel).CreateValidation(request, timeout=60)
            names.add(answer.validation.name)
            tally["OK"] += 1
        except grpc.RpcError as exc:
            tally[misbehaving.code(exc)] += 1

    async with misbehaving.channel(target.server) as channel:
        await asyncio.gather(*(create("yang sama") for _ in range(100)))
        await asyncio.gather(*(create(f"yang lain {number}") for number in range(100)))
    if len(names) != 1:
        tally[f"{WRONG}: {len(names)} validations of one id"] += 1
    return tally


async def cancel_what_is_being_accepted(target: Target) -> Tally:
    """A thousand validations for later, each given up a moment after it was sent."""
    tally: Tally = Counter()
    async with misbehaving.channel(target.server) as channel:
        for number in range(1000):
            message = _request(target, f"given-up-{number}", "batal")
            call = Validations(channel).CreateValidation(
                validations.CreateValidationRequest(request=message), timeout=30
            )
            await asyncio.sleep(number % 20 / 5000)
            call.cancel()
            try:
                await call
                tally["OK"] += 1
            except asyncio.CancelledError:
                tally["CANCELLED"] += 1
            except grpc.RpcError as exc:
                tally[misbehaving.code(exc)] += 1
    return tally


async def say_oddly_who_calls(target: Target) -> Tally:
    """Names of bytes that no client of gRPC would send."""
    tally: Tally = Counter()

    async def asked(key: bytes, value: bytes) -> str:
        metadata = [(key, value)]
        number = await asyncio.to_thread(raw.call, target.server, LIST, b"", metadata)
        return next((c.name for c in grpc.StatusCode if str(c.value[0]) == number), number)

    for odd in ODD_BYTES:
        for key in (b"absah-tenant", b"absah-client"):
            tally[await asked(key, odd)] += 1
        # A key that is none is refused by gRPC itself, before the server's own code is asked.
        tally[f"said {await asked(b'absah-' + odd, b'x')}"] += 1
    if "OK" in tally or await asked(b"absah-tenant", b"keeps-nothing") != "OK":
        tally[f"{WRONG}: a bad name was taken, or a good one refused"] += 1
    return tally


WAYS = (
    abandon_uploads,
    abandon_uploads_without_a_word,
    upload_the_same_at_once,
    never_read_downloads,
    never_read_watches,
    crowd_in_to_be_kept,
    reuse_a_request_id,
    cancel_what_is_being_accepted,
    say_oddly_who_calls,
)


async def _upload_is_taken(target: Target, tally: Tally) -> None:
    async with absah.AsyncClient(target.server.address) as client:
        try:
            async with asyncio.timeout(20):
                await client.upload(os.urandom(1000))
            tally["then OK"] += 1
        except (absah.CallFailed, TimeoutError):
            tally[f"{WRONG}: no room after"] += 1


async def _left(call: grpc.aio.Call, tally: Tally) -> None:
    """Leave a call that nobody reads, or tell how it ended before."""
    if call.cancel():
        tally["left"] += 1
        return
    with contextlib.suppress(asyncio.CancelledError):
        ended = await call.code()
        tally[ended.name] += 1


def _request(target: Target, request_id: str, text: str) -> validations.ValidateRequest:
    document = {"report": absah.Text(f"{REPORT} Catatan: {text}.")}
    return absah.request("", document, checkers=[target.text_checker], request_id=request_id)
