"""Upload documents, going on where an upload broke off, and download them."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

from absah.documents import Content, Text
from absah.errors import CallFailed, from_rpc_error
from absah.v1 import document_service_pb2 as pb2

CHUNK_BYTES = 256 * 1024
ATTEMPTS = 8
FIRST_PAUSE_SECONDS = 0.2
MAX_PAUSE_SECONDS = 5.0

Told = Callable[[int, int], None]
"""Is told how many bytes have been sent, and how many there are."""


def _silent(sent_bytes: int, size_bytes: int) -> None:
    """Tells nobody."""


@dataclass(frozen=True, slots=True)
class _Content:
    """What is uploaded: its digest and how to read it from some byte on."""

    digest: str
    size_bytes: int
    path: Path | None
    content: bytes

    @classmethod
    def of(cls, source: Content) -> _Content:
        """Digest a source; raises OSError."""
        if isinstance(source, Text):
            source = source.text.encode()
        if isinstance(source, bytes):
            return cls(hashlib.sha256(source).hexdigest(), len(source), None, source)
        path = Path(source)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return cls(digest, file.tell(), path, b"")

    @property
    def name(self) -> str:
        return f"documents/{self.digest}"

    def messages(self, offset_bytes: int, told: Told) -> Iterator[pb2.UploadDocumentRequest]:
        """The messages of an upload from `offset_bytes` on."""
        header = pb2.UploadDocumentHeader(
            sha256=self.digest, size_bytes=self.size_bytes, offset_bytes=offset_bytes
        )
        yield pb2.UploadDocumentRequest(header=header)
        sent = offset_bytes
        told(sent, self.size_bytes)
        for chunk in self._chunks(offset_bytes):
            yield pb2.UploadDocumentRequest(chunk=chunk)
            sent += len(chunk)
            told(sent, self.size_bytes)

    def _chunks(self, offset_bytes: int) -> Iterator[bytes]:
        if self.path is None:
            for begin in range(offset_bytes, self.size_bytes, CHUNK_BYTES):
                yield self.content[begin : begin + CHUNK_BYTES]
            return
        with self.path.open("rb") as file:
            file.seek(offset_bytes)
            while chunk := file.read(CHUNK_BYTES):
                yield chunk


class _Tries:
    """How often to go on after an error, and where."""

    def __init__(self) -> None:
        self._left = ATTEMPTS
        self._pause_seconds = FIRST_PAUSE_SECONDS
        self._anew = False
        self._whole = False

    def offset(self, document: pb2.StoredDocument | None, *, anew: bool = False) -> int:
        """Where to begin, given what the server has of it.

        What it has whole is named, not sent: from then on it is kept for as long as if it were. Not
        where all is to be sent `anew`.
        """
        if document is None or self._anew:
            return 0
        self._whole = document.state == pb2.DOCUMENT_STATE_READY and not anew
        uploading = document.state == pb2.DOCUMENT_STATE_UPLOADING
        return document.received_bytes if uploading or self._whole else 0

    def after(self, failed: CallFailed, *, offset_bytes: int) -> float:
        """The seconds to wait before the next try; raises the error where none would help."""
        self._left -= 1
        # What had arrived before may be at fault, or be damaged; then all is sent once more.
        faults = ("CONTENT_MISMATCH", "UPLOAD_GAP") if self._whole else ("CONTENT_MISMATCH",)
        stale = offset_bytes > 0 and failed.reason in faults
        self._anew = self._anew or stale
        lost = failed.code is grpc.StatusCode.UNAVAILABLE or failed.reason in _BROKEN_OFF
        if not self._left or not (stale or lost):
            raise failed
        pause, self._pause_seconds = (
            self._pause_seconds,
            min(2 * self._pause_seconds, MAX_PAUSE_SECONDS),
        )
        return failed.retry_after_seconds or pause


_BROKEN_OFF = ("UPLOAD_GAP", "OVERLOADED")


class DocumentCalls:
    """The calls of `Client` that are about stored documents; all raise `CallFailed`."""

    _documents: Any
    _timeout_seconds: float

    def upload(
        self, source: Content, *, told: Told = _silent, anew: bool = False
    ) -> pb2.StoredDocument:
        """Upload a document, and go on where it breaks off; it is durable when this returns.

        A path is read twice, first for its digest. What the server has already is not sent again,
        except `anew`, which mends what is damaged there. Raises OSError too.
        """
        content, tries = _Content.of(source), _Tries()
        while True:
            offset = 0
            try:
                offset = tries.offset(self._find(content.name), anew=anew)
                answer = self._documents.UploadDocument(content.messages(offset, told))
                document: pb2.StoredDocument = answer.document
                return document
            except grpc.RpcError as exc:
                time.sleep(tries.after(from_rpc_error(exc), offset_bytes=offset))

    def document(self, name: str) -> pb2.StoredDocument:
        """A document's state, by its name ("documents/…")."""
        try:
            return self._get(name)
        except grpc.RpcError as exc:
            raise from_rpc_error(exc) from exc

    def download(self, name: str) -> bytes:
        """A document's or artifact's content, which goes on where it breaks off."""
        content, tries = bytearray(), _Tries()
        while True:
            request = pb2.DownloadDocumentRequest(name=name, offset_bytes=len(content))
            try:
                for answer in self._documents.DownloadDocument(request):
                    content += answer.chunk
                return bytes(content)
            except grpc.RpcError as exc:
                time.sleep(tries.after(from_rpc_error(exc), offset_bytes=0))

    def delete_document(self, name: str) -> pb2.StoredDocument:
        """Delete a document's content; records keep its digest."""
        request = pb2.DeleteDocumentRequest(name=name)
        try:
            answer = self._documents.DeleteDocument(request, timeout=self._timeout_seconds)
        except grpc.RpcError as exc:
            raise from_rpc_error(exc) from exc
        document: pb2.StoredDocument = answer.document
        return document

    def _get(self, name: str) -> pb2.StoredDocument:
        request = pb2.GetDocumentRequest(name=name)
        answer = self._documents.GetDocument(request, timeout=self._timeout_seconds)
        document: pb2.StoredDocument = answer.document
        return document

    def _find(self, name: str) -> pb2.StoredDocument | None:
        try:
            return self._get(name)
        except grpc.RpcError as exc:
            if from_rpc_error(exc).code is grpc.StatusCode.NOT_FOUND:
                return None
            raise


class AsyncDocumentCalls:
    """The calls of `AsyncClient` that are about stored documents; see `DocumentCalls`."""

    _documents: Any
    _timeout_seconds: float

    async def upload(
        self, source: Content, *, told: Told = _silent, anew: bool = False
    ) -> pb2.StoredDocument:
        """As `DocumentCalls.upload`; files are digested in a thread."""
        content, tries = await asyncio.to_thread(_Content.of, source), _Tries()
        while True:
            offset = 0
            try:
                offset = tries.offset(await self._find(content.name), anew=anew)
                answer = await self._documents.UploadDocument(content.messages(offset, told))
                document: pb2.StoredDocument = answer.document
                return document
            except grpc.RpcError as exc:
                await asyncio.sleep(tries.after(from_rpc_error(exc), offset_bytes=offset))

    async def document(self, name: str) -> pb2.StoredDocument:
        """As `DocumentCalls.document`."""
        try:
            return await self._get(name)
        except grpc.RpcError as exc:
            raise from_rpc_error(exc) from exc

    async def download(self, name: str) -> bytes:
        """As `DocumentCalls.download`."""
        content, tries = bytearray(), _Tries()
        while True:
            request = pb2.DownloadDocumentRequest(name=name, offset_bytes=len(content))
            try:
                async for answer in self._documents.DownloadDocument(request):
                    content += answer.chunk
                return bytes(content)
            except grpc.RpcError as exc:
                await asyncio.sleep(tries.after(from_rpc_error(exc), offset_bytes=0))

    async def delete_document(self, name: str) -> pb2.StoredDocument:
        """As `DocumentCalls.delete_document`."""
        request = pb2.DeleteDocumentRequest(name=name)
        try:
            answer = await self._documents.DeleteDocument(request, timeout=self._timeout_seconds)
        except grpc.RpcError as exc:
            raise from_rpc_error(exc) from exc
        document: pb2.StoredDocument = answer.document
        return document

    async def _get(self, name: str) -> pb2.StoredDocument:
        request = pb2.GetDocumentRequest(name=name)
        answer = await self._documents.GetDocument(request, timeout=self._timeout_seconds)
        document: pb2.StoredDocument = answer.document
        return document

    async def _find(self, name: str) -> pb2.StoredDocument | None:
        try:
            return await self._get(name)
        except grpc.RpcError as exc:
            if from_rpc_error(exc).code is grpc.StatusCode.NOT_FOUND:
                return None
            raise
