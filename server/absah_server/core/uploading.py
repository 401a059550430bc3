"""Take uploads in: chunk by chunk, resumable, verified before anything refers to them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from absah_sdk import DeadlinePassed
from absah_server.core import names
from absah_server.core.callers import Caller
from absah_server.core.documents import (
    MAX_CHUNK_BYTES,
    DocumentState,
    StoredDocument,
    UploadHeader,
)
from absah_server.core.errors import (
    ContentDamaged,
    ContentMismatch,
    DocumentNotFound,
    LimitExceeded,
    RequestInvalid,
    UploadGap,
)
from absah_server.core.ports import Blobs, DocumentIndex, Partial, Partials

T = TypeVar("T")
HEAD_BYTES = 256 * 1024
"""More than it takes to tell a media type."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Uploader:
    """Takes uploads, each tenant's for itself.

    `identify` tells a media type from the bytes that a document begins with. An upload of which
    nothing came for `idle_seconds` is ended, and can be gone on with.
    """

    blobs: Blobs
    index: DocumentIndex
    partials: Partials
    identify: Callable[[bytes], str]
    max_bytes: int
    idle_seconds: float

    async def upload(
        self, tenant: str, header: UploadHeader, chunks: AsyncIterator[bytes]
    ) -> StoredDocument:
        """Take the chunks of one document; it is durable once this returns.

        Chunks are not asked for if the tenant has the document, which is then kept for as long as
        if it had been sent now. What arrived before an error can
        be gone on with, unless it was wrong. Raises `RequestInvalid`, `LimitExceeded`, `UploadGap`,
        `ContentMismatch`, `DeadlinePassed`, `StoreFull` or `StoreUnavailable`.
        """
        self._verify(header)
        if await self._is_whole(tenant, header.digest) and (
            renewed := await self.index.renew(tenant, header.digest)
        ):
            return renewed
        await self.index.begin_upload(tenant, header.digest, header.size_bytes)
        partial = await self.partials.open(tenant, header.digest, offset_bytes=header.offset_bytes)
        try:
            await self._receive(partial, header, chunks)
            return await self._finish(tenant, partial, header)
        finally:
            await partial.release()

    async def find(self, tenant: str, digest: str) -> StoredDocument:
        """A document, with how much of it has arrived; raises `DocumentNotFound`."""
        found = await self.index.find(tenant, digest)
        if found is None:
            raise DocumentNotFound(name=names.document_name(digest))
        if found.state is not DocumentState.UPLOADING:
            return found
        received = await self.partials.received_bytes(tenant, digest)
        return replace(found, received_bytes=received)

    async def delete(self, caller: Caller, digest: str) -> StoredDocument:
        """Delete a document, or what has arrived of it; its content goes once nobody has it.

        Raises `DocumentNotFound` or `DocumentInUse`.
        """
        deleted = await self.index.delete(caller, digest)
        await self.partials.discard(caller.tenant, digest)
        return deleted

    async def _is_whole(self, tenant: str, digest: str) -> bool:
        """Whether the tenant has the document; what is damaged may be uploaded anew."""
        if not await self.index.is_ready(tenant, digest):
            return False
        try:
            await self.blobs.get(digest)
        except (ContentDamaged, DocumentNotFound):
            return False
        return True

    def _verify(self, header: UploadHeader) -> None:
        problems = []
        if not names.DIGEST.fullmatch(header.digest):
            problems.append(("header.sha256", "must be 64 hexadecimal digits in lower case"))
        if header.size_bytes < 1:
            problems.append(("header.size_bytes", "must be the document's size, at least 1"))
        if not 0 <= header.offset_bytes <= max(header.size_bytes, 0):
            problems.append(("header.offset_bytes", "must be from 0 to size_bytes"))
        if problems:
            raise RequestInvalid(*problems)
        if header.size_bytes > self.max_bytes:
            raise LimitExceeded(
                limit="limits.max_document_bytes",
                allowed=self.max_bytes,
                actual=header.size_bytes,
                unit="bytes",
            )

    async def _receive(
        self, partial: Partial, header: UploadHeader, chunks: AsyncIterator[bytes]
    ) -> None:
        while (chunk := await self.patiently(anext(chunks, None))) is not None:
            if not 1 <= len(chunk) <= MAX_CHUNK_BYTES:
                raise RequestInvalid(("chunk", f"must have 1 to {MAX_CHUNK_BYTES} bytes"))
            if partial.size_bytes + len(chunk) > header.size_bytes:
                await partial.discard()
                raise ContentMismatch(
                    ("header.size_bytes", f"more than {header.size_bytes} bytes came")
                )
            await partial.append(chunk)
        if partial.size_bytes < header.size_bytes:
            # Whether the sender meant to end here or lost its connection cannot be told.
            raise UploadGap(
                (
                    "header.offset_bytes",
                    f"the stream ended early; go on at byte {partial.size_bytes} of "
                    f"{header.size_bytes}",
                )
            )

    async def patiently(self, coming: Awaitable[T]) -> T:
        """Wait for the next that comes; raises `DeadlinePassed` if that takes too long."""
        try:
            async with asyncio.timeout(self.idle_seconds):
                return await coming
        except TimeoutError as exc:
            raise DeadlinePassed(
                f"nothing came for {self.idle_seconds:.0f} s; ask GetDocument where to go on"
            ) from exc

    async def _finish(self, tenant: str, partial: Partial, header: UploadHeader) -> StoredDocument:
        if partial.digest() != header.digest:
            await partial.discard()
            raise ContentMismatch(
                ("header.sha256", "the bytes have another digest; send all of them again")
            )
        media_type = self.identify(await partial.head(HEAD_BYTES))
        await self.index.spare([header.digest])
        await self.blobs.adopt(header.digest, partial.path)
        document = await self.index.finish_upload(
            tenant, header.digest, header.size_bytes, media_type
        )
        # What broke off before this one began anew is of no more use.
        await self.partials.discard(tenant, header.digest)
        return document
