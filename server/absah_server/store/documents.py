"""Keep rows of documents in PostgreSQL: which tenant has which content, and in what state."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from absah_server.core import names
from absah_server.core.audit import AuditEvent
from absah_server.core.callers import Caller
from absah_server.core.documents import DocumentState, StoredDocument
from absah_server.core.errors import DocumentInUse, DocumentNotFound
from absah_server.store import archive, audit, cached_results, erasing, queries
from absah_server.store.batching import Batcher
from absah_server.store.database import Connection, Database

SQL = queries.load("documents")
ERASED_AT_A_TIME = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptContent:
    """A content that was kept, to be written as a tenant's document. `digest` is hexadecimal."""

    digest: str
    size_bytes: int
    media_type: str


async def keep(connection: Connection, tenant: str, contents: Iterable[KeptContent]) -> None:
    """Write documents and artifacts of a validation, within the transaction that refers to them.

    `DocumentKeeper.keep` must have kept the contents within the last minutes.
    """
    given = list({content.digest: content for content in contents}.values())
    if given:
        values = {
            "tenant": tenant,
            "sha256": [bytes.fromhex(content.digest) for content in given],
            "size_bytes": [content.size_bytes for content in given],
            "media_type": [content.media_type for content in given],
        }
        await connection.execute(SQL["keep"], values)


async def hold(connection: Connection, tenant: str, digests: Collection[str]) -> None:
    """See to it that documents stay until the transaction, which refers to them by name, ends.

    Raises `DocumentNotFound` if one is not the tenant's, not whole, or deleted.
    """
    wanted = {bytes.fromhex(digest) for digest in digests}
    cursor = await connection.execute(SQL["hold"], {"tenant": tenant, "sha256s": list(wanted)})
    missing = wanted - {row["sha256"] for row in await cursor.fetchall()}
    if missing:
        raise DocumentNotFound(name=names.document_name(min(missing).hex()))


async def mark_unneeded(connection: Connection, sha256s: Collection[bytes]) -> None:
    """Have contents removed after a while, unless a document of any tenant is one by then.

    What was found in them and is kept for reuse goes at once.
    """
    await cached_results.forget(connection, sha256s)
    await connection.execute(SQL["mark_unneeded"], {"sha256s": list(set(sha256s))})


class Documents:
    """The rows of documents; all methods raise `StoreUnavailable`.

    What was uploaded is kept for `upload_seconds` though nothing refers to it, an upload that broke
    off for `partial_seconds`.
    """

    def __init__(
        self, database: Database, *, upload_seconds: float, partial_seconds: float
    ) -> None:
        self._database = database
        self._upload_seconds = upload_seconds
        self._partial_seconds = partial_seconds
        self._sparing: Batcher[Collection[str], None] = Batcher(self._spare)

    async def is_ready(self, tenant: str, digest: str) -> bool:
        """As `DocumentIndex.is_ready`."""
        async with self._database.connection() as connection:
            row = await (await connection.execute(SQL["is_ready"], _key(tenant, digest))).fetchone()
        return bool(row and row["ready"])

    async def sizes(self, tenant: str, digests: Collection[str]) -> Mapping[str, int]:
        """As `DocumentIndex.sizes`."""
        values = {"tenant": tenant, "sha256s": [bytes.fromhex(digest) for digest in digests]}
        async with self._database.connection() as connection:
            rows = await (await connection.execute(SQL["sizes"], values)).fetchall()
        return {row["sha256"].hex(): row["size_bytes"] for row in rows}

    async def find(self, tenant: str, digest: str) -> StoredDocument | None:
        """As `DocumentIndex.find`."""
        async with self._database.connection() as connection:
            row = await (await connection.execute(SQL["find"], _key(tenant, digest))).fetchone()
        return _stored(row) if row else None

    async def spare(self, digests: Collection[str]) -> None:
        """As `DocumentIndex.spare`. Those of several callers go together: each keeps something."""
        await self._sparing.submit(digests)

    async def _spare(self, some: Sequence[Collection[str]]) -> Sequence[None]:
        digests = {bytes.fromhex(digest) for digests in some for digest in digests}
        async with self._database.connection() as connection:
            await connection.execute(SQL["spare"], {"sha256s": list(digests)})
        return [None] * len(some)

    async def begin_upload(self, tenant: str, digest: str, size_bytes: int) -> None:
        """As `DocumentIndex.begin_upload`."""
        values = {"size_bytes": size_bytes, "keep_seconds": self._partial_seconds}
        async with self._database.connection() as connection:
            await connection.execute(SQL["begin_upload"], values | _key(tenant, digest))

    async def finish_upload(
        self, tenant: str, digest: str, size_bytes: int, media_type: str
    ) -> StoredDocument:
        """As `DocumentIndex.finish_upload`."""
        values = {
            "size_bytes": size_bytes,
            "media_type": media_type,
            "keep_seconds": self._upload_seconds,
        }
        async with self._database.connection() as connection:
            cursor = await connection.execute(SQL["finish_upload"], values | _key(tenant, digest))
            row = await cursor.fetchone()
        assert row
        return _stored(row)

    async def renew(self, tenant: str, digest: str) -> StoredDocument | None:
        """As `DocumentIndex.renew`."""
        values = {"keep_seconds": self._upload_seconds} | _key(tenant, digest)
        async with self._database.connection() as connection:
            row = await (await connection.execute(SQL["renew"], values)).fetchone()
        return _stored(row) if row else None

    async def delete(self, caller: Caller, digest: str) -> StoredDocument:
        """As `DocumentIndex.delete`."""
        key = _key(caller.tenant, digest)
        async with self._database.transaction() as connection:
            row = await (await connection.execute(SQL["lock"], key)).fetchone()
            if row is None:
                raise DocumentNotFound(name=names.document_name(digest))
            found = _stored(row)
            if found.state is DocumentState.DELETED:
                return found
            used = await (await connection.execute(SQL["is_in_use"], key)).fetchone()
            if used and used["in_use"]:
                raise DocumentInUse(name=found.name)
            await connection.execute(SQL["delete"], key)
            await _erase_readings(connection, key)
            await mark_unneeded(connection, [key["sha256"]])
            await audit.append(connection, [_deleted_event(caller, found)])
        return replace(found, state=DocumentState.DELETED, received_bytes=0, expire_time=None)


async def _erase_readings(connection: Connection, key: Mapping[str, Any]) -> None:
    """Erase what was read from a document: facts, messages, and wordings that may quote it."""
    after = uuid.UUID(int=0)
    while True:
        given = {**key, "after": after, "limit": ERASED_AT_A_TIME}
        cursor = await connection.execute(SQL["reading_validations"], given)
        if not (rows := await cursor.fetchall()):
            return
        cursor = await connection.execute(
            SQL["readings"], {**key, "ids": [row["id"] for row in rows]}
        )
        await erasing.write_results(connection, await cursor.fetchall())
        decided = [row for row in rows if row["verdict"]]
        verdicts = [archive.verdict.read(row["verdict"]) for row in decided]
        erased = {
            "ids": [row["id"] for row in decided],
            "verdicts": [archive.verdict.write(erasing.verdict(verdict)) for verdict in verdicts],
        }
        await connection.execute(SQL["erase_verdicts"], erased)
        after = rows[-1]["id"]


def _key(tenant: str, digest: str) -> dict[str, Any]:
    return {"tenant": tenant, "sha256": bytes.fromhex(digest)}


def _stored(row: Mapping[str, Any]) -> StoredDocument:
    state = DocumentState(row["state"])
    return StoredDocument(
        digest=row["sha256"].hex(),
        state=state,
        size_bytes=row["size_bytes"],
        received_bytes=row["size_bytes"] if state is DocumentState.READY else 0,
        media_type=row["media_type"],
        create_time=row["create_time"],
        expire_time=row["expire_time"],
    )


def _deleted_event(caller: Caller, document: StoredDocument) -> AuditEvent:
    return AuditEvent(
        tenant=caller.tenant,
        actor=caller.client,
        action="document.deleted",
        subject=document.name,
        details={"size_bytes": document.size_bytes, "media_type": document.media_type},
    )
