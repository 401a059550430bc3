"""DocumentService: uploads, downloads and deletions of one tenant's documents."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import grpc

from absah.v1 import document_service_pb2 as pb2
from absah.v1 import document_service_pb2_grpc
from absah_sdk import DeadlinePassed
from absah_server.core import names
from absah_server.core.documents import (
    MAX_CHUNK_BYTES,
    DocumentState,
    StoredDocument,
    UploadHeader,
)
from absah_server.core.errors import OffsetBeyondEnd, Overloaded, RequestInvalid
from absah_server.core.keeping import DocumentKeeper
from absah_server.core.uploading import Uploader
from absah_server.rpc import callers, errors

Context = grpc.aio.ServicerContext[Any, Any]

STATES = {state: getattr(pb2, f"DOCUMENT_STATE_{state.value}") for state in DocumentState}
log = logging.getLogger(__name__)
RETRY_AFTER_SECONDS = 2.0


class DocumentServicer(document_service_pb2_grpc.DocumentServiceServicer):
    """Keeps documents.

    So many are taken in and sent at a time; each that is sent is held in memory, until its receiver
    has read nothing for `idle_seconds`.
    """

    def __init__(
        self,
        uploader: Uploader,
        keeper: DocumentKeeper,
        *,
        max_uploads: int,
        max_downloads: int,
        idle_seconds: float,
    ) -> None:
        self._uploader = uploader
        self._keeper = keeper
        self._uploads = asyncio.Semaphore(max_uploads)
        self._downloads = asyncio.Semaphore(max_downloads)
        self._idle_seconds = idle_seconds

    async def UploadDocument(  # noqa: N802
        self, request_iterator: AsyncIterator[pb2.UploadDocumentRequest], context: Context
    ) -> pb2.UploadDocumentResponse:
        return await errors.answer(context, self._upload(request_iterator, context))

    async def GetDocument(  # noqa: N802
        self, request: pb2.GetDocumentRequest, context: Context
    ) -> pb2.GetDocumentResponse:
        return await errors.answer(context, self._get(request, context))

    async def DownloadDocument(  # noqa: N802
        self, request: pb2.DownloadDocumentRequest, context: Context
    ) -> None:
        await errors.answer(context, self._download(request, context))

    async def DeleteDocument(  # noqa: N802
        self, request: pb2.DeleteDocumentRequest, context: Context
    ) -> pb2.DeleteDocumentResponse:
        return await errors.answer(context, self._delete(request, context))

    async def _upload(
        self, requests: AsyncIterator[pb2.UploadDocumentRequest], context: Context
    ) -> pb2.UploadDocumentResponse:
        async with _place(self._uploads):
            return await self._receive(requests, context)

    async def _receive(
        self, requests: AsyncIterator[pb2.UploadDocumentRequest], context: Context
    ) -> pb2.UploadDocumentResponse:
        tenant = callers.caller_of(context).tenant
        first = await self._uploader.patiently(anext(requests, None))
        if first is None or first.WhichOneof("part") != "header":
            raise RequestInvalid(("header", "the first message must carry the header"))
        header = UploadHeader(
            digest=first.header.sha256,
            size_bytes=first.header.size_bytes,
            offset_bytes=first.header.offset_bytes,
        )
        async with aclosing(_chunks(requests)) as chunks:
            document = await self._uploader.upload(tenant, header, chunks)
        return pb2.UploadDocumentResponse(document=document_to_proto(document))

    async def _get(
        self, request: pb2.GetDocumentRequest, context: Context
    ) -> pb2.GetDocumentResponse:
        tenant = callers.caller_of(context).tenant
        found = await self._uploader.find(tenant, _digest(request.name))
        return pb2.GetDocumentResponse(document=document_to_proto(found))

    async def _download(self, request: pb2.DownloadDocumentRequest, context: Context) -> None:
        # Its place is free before the call ends, which waits for the receiver once more.
        async with _place(self._downloads):
            content = await self._content(request, context)
            is_read = await self._send(content, request.offset_bytes, context)
            del content
        if not is_read:
            raise DeadlinePassed(
                f"nothing was read for {self._idle_seconds:.0f} s; go on where it broke off"
            )

    async def _send(self, content: bytes, offset_bytes: int, context: Context) -> bool:
        """Send a content from a byte on; False where its receiver stopped reading.

        No exception tells that, since it would hold on to the content.
        """
        for begin in range(offset_bytes, len(content), MAX_CHUNK_BYTES):
            chunk = content[begin : begin + MAX_CHUNK_BYTES]
            try:
                async with asyncio.timeout(self._idle_seconds):
                    await context.write(pb2.DownloadDocumentResponse(chunk=chunk))
            except TimeoutError:
                return False
            except grpc.aio.InternalError:
                # The receiver left in the midst of a chunk; nobody is there to be told.
                log.debug("download left")
                return True
        return True

    async def _content(self, request: pb2.DownloadDocumentRequest, context: Context) -> bytes:
        tenant = callers.caller_of(context).tenant
        digest = _digest(request.name)
        if request.offset_bytes < 0:
            raise RequestInvalid(("offset_bytes", "must be 0 or more"))
        content = await self._keeper.fetch(tenant, digest)
        if request.offset_bytes > len(content):
            raise OffsetBeyondEnd(
                ("offset_bytes", f"must be at most {len(content)}, the document's size")
            )
        return content

    async def _delete(
        self, request: pb2.DeleteDocumentRequest, context: Context
    ) -> pb2.DeleteDocumentResponse:
        caller = callers.caller_of(context)
        deleted = await self._uploader.delete(caller, _digest(request.name))
        return pb2.DeleteDocumentResponse(document=document_to_proto(deleted))


def document_to_proto(value: StoredDocument) -> pb2.StoredDocument:
    """The message of a kept document."""
    pb = pb2.StoredDocument(
        name=value.name,
        state=STATES[value.state],
        size_bytes=value.size_bytes,
        received_bytes=value.received_bytes,
        media_type=value.media_type,
    )
    pb.create_time.FromDatetime(value.create_time)
    if value.expire_time:
        pb.expire_time.FromDatetime(value.expire_time)
    return pb


async def _chunks(
    requests: AsyncIterator[pb2.UploadDocumentRequest],
) -> AsyncGenerator[bytes, None]:
    async for request in requests:
        if request.WhichOneof("part") != "chunk":
            raise RequestInvalid(("chunk", "every message after the first must carry a chunk"))
        yield request.chunk


def _digest(name: str) -> str:
    digest = names.parse_digest(name)
    if digest is None:
        raise RequestInvalid(
            ("name", 'must be "documents/" and a SHA-256 of 64 hexadecimal digits in lower case')
        )
    return digest


@asynccontextmanager
async def _place(places: asyncio.Semaphore) -> AsyncIterator[None]:
    """One of so many places; where none is free it raises `Overloaded` at once."""
    if places.locked():
        raise Overloaded(retry_after_seconds=RETRY_AFTER_SECONDS)
    async with places:
        yield
