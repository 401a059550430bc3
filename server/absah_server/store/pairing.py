"""Pair a database with its store of contents, so that no server looks for documents elsewhere.

A worker that shares the database but not the documents would find none of them, and fail what was
accepted. So a mark, a content of random bytes, lies in the store, and the database knows it.
"""

from __future__ import annotations

import hashlib
import secrets

from absah_server.core.errors import ContentDamaged, ContentStoreUnknown, DocumentNotFound
from absah_server.core.ports import Blobs
from absah_server.store import queries
from absah_server.store.database import Database

SQL = queries.load("pairing")
MARK_BYTES = 32


async def pair(database: Database, blobs: Blobs, *, where: str, adopt: bool) -> str:
    """See that the contents of the database are in this store, or make a pair of two new ones.

    Returns the digest of the mark. `where` is what to call the store in an error; `adopt` takes it
    though it is another one. Raises `ContentStoreUnknown` or `StoreUnavailable`.
    """
    async with database.transaction() as connection:
        await connection.execute(SQL["lock"])
        found = await (await connection.execute(SQL["mark"])).fetchone()
        if found and await _is_there(blobs, found["sha256"].hex()):
            return str(found["sha256"].hex())
        if found and not adopt:
            raise ContentStoreUnknown(where=where)
        content = secrets.token_bytes(MARK_BYTES)
        digest = hashlib.sha256(content)
        await blobs.put(digest.hexdigest(), content)
        await connection.execute(SQL["write_mark"], {"sha256": digest.digest()})
    return digest.hexdigest()


async def verify(database: Database, blobs: Blobs, *, where: str) -> None:
    """Raise `ContentStoreUnknown` where `pair` would; nothing is made."""
    async with database.connection() as connection:
        found = await (await connection.execute(SQL["mark"])).fetchone()
    if found and not await _is_there(blobs, found["sha256"].hex()):
        raise ContentStoreUnknown(where=where)


async def _is_there(blobs: Blobs, digest: str) -> bool:
    try:
        await blobs.get(digest)
    except (DocumentNotFound, ContentDamaged):
        return False
    return True
