"""Keep documents and artifacts so that whatever a row refers to is there.

To keep: `DocumentKeeper.keep` first, then, within minutes, a transaction that writes the rows that
refer to the contents. Contents that no row came to refer to are found and removed later.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from absah_server.core import names
from absah_server.core.errors import DocumentNotFound
from absah_server.core.ports import Blobs, DocumentIndex


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentKeeper:
    """Keeps contents, and gives each tenant back its own."""

    blobs: Blobs
    index: DocumentIndex

    async def keep(self, contents: Iterable[tuple[str, bytes]]) -> None:
        """Keep contents by their SHA-256 in hexadecimal; they are durable once this returns.

        Nothing purges them for the next minutes, whether they were there before or not. Raises
        `StoreUnavailable`, of which `StoreFull` is one; keeping all of them again is safe.
        """
        by_digest = dict(contents)
        if not by_digest:
            return
        await self.index.spare(by_digest.keys())
        putting = (self.blobs.put(digest, content) for digest, content in by_digest.items())
        for answer in await asyncio.gather(*putting, return_exceptions=True):
            if answer is not None:
                raise answer

    async def sizes(self, tenant: str, digests: Collection[str]) -> Mapping[str, int]:
        """How many bytes `fetch` would return of each; raises as it does."""
        sizes = await self.index.sizes(tenant, digests)
        for digest in digests:
            if digest not in sizes:
                raise DocumentNotFound(name=names.document_name(digest))
        return sizes

    async def fetch(self, tenant: str, digest: str) -> bytes:
        """A content of the tenant's, as it was kept.

        Raises `DocumentNotFound` for what is another tenant's or deleted, `ContentDamaged`,
        `StoreUnavailable`.
        """
        if not await self.index.is_ready(tenant, digest):
            raise DocumentNotFound(name=names.document_name(digest))
        return await self.blobs.get(digest)
