"""Tell a content that is gone from a store that is gone.

A file system that is no longer mounted leaves an empty folder, in which no document is found. To
take that for the end of each would fail all that was accepted, so the mark of the pair of store and
database is looked for first.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from absah_server.core.errors import ContentDamaged, DocumentNotFound, StoreUnavailable
from absah_server.core.ports import Blobs

log = logging.getLogger(__name__)
RETRY_AFTER_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True, slots=True)
class PairedBlobs:
    """The store `blobs`, in which the content `mark` lies for as long as it is the right one."""

    blobs: Blobs
    mark: str

    async def start(self) -> None:
        """As `Blobs.start`."""
        await self.blobs.start()

    async def put(self, digest: str, content: bytes) -> None:
        """As `Blobs.put`."""
        await self.blobs.put(digest, content)

    async def adopt(self, digest: str, path: Path) -> None:
        """As `Blobs.adopt`."""
        await self.blobs.adopt(digest, path)

    async def get(self, digest: str) -> bytes:
        """As `Blobs.get`; where the mark is missing too, it raises `StoreUnavailable`."""
        try:
            return await self.blobs.get(digest)
        except DocumentNotFound:
            await self._see_mark()
            raise

    async def delete(self, digest: str) -> None:
        """As `Blobs.delete`."""
        await self.blobs.delete(digest)

    def digests(self, *, older_than_seconds: float) -> AsyncIterator[str]:
        """As `Blobs.digests`."""
        return self.blobs.digests(older_than_seconds=older_than_seconds)

    async def close(self) -> None:
        """As `Blobs.close`."""
        await self.blobs.close()

    async def _see_mark(self) -> None:
        try:
            await self.blobs.get(self.mark)
        except ContentDamaged:
            return
        except DocumentNotFound as exc:
            log.error("the mark of this database is gone from the store of documents")
            raise StoreUnavailable(
                retry_after_seconds=RETRY_AFTER_SECONDS,
                what="the store of documents",
                why="what lies in its place is another one, or it is not mounted",
            ) from exc
