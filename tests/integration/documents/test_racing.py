"""Whoever is about to refer to a content gets it, whatever a purge is at; and nothing stays."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest

from absah_server import storage
from absah_server.core import names
from absah_server.core.errors import DocumentNotFound
from absah_server.storage import Storage
from absah_server.store import documents, purging
from absah_server.store.documents import KeptContent
from absah_server.store.purging import PostgresExpiry

from .conftest import digest_of

CONTENT = b"halo"
DIGEST = digest_of(CONTENT)
ROW = KeptContent(digest=DIGEST, size_bytes=len(CONTENT), media_type="text/plain")


@pytest.fixture
async def kept(settings: Any) -> AsyncIterator[Storage]:
    async with storage.opened(settings) as opened:
        yield opened


async def write_row(kept: Storage, *, tenant: str = "default") -> None:
    async with kept.database.transaction() as connection:
        await documents.keep(connection, tenant, [ROW])


async def mark(kept: Storage, *, minutes_ago: int) -> None:
    """Mark the content as unneeded for so long."""
    async with kept.database.connection() as connection:
        await documents.mark_unneeded(connection, [bytes.fromhex(DIGEST)])
        await connection.execute(
            "update unneeded_contents set mark_time = now() - make_interval(mins => %s)",
            (minutes_ago,),
        )


async def refer(connection: Any, validation_id: uuid.UUID) -> None:
    """Write an ended validation that refers to the content, within a transaction."""
    await connection.execute(
        "insert into validations (id, tenant, client, request_id, request_digest, state, policy,"
        " priority, request, record, create_time, update_time) values (%s, 'default', 'tests', '',"
        " '', 'SUCCEEDED', 'brief@1', 0, '{}', '{}', now(), now())",
        (validation_id,),
    )
    await connection.execute(
        "insert into validation_documents (validation_id, document, tenant, sha256)"
        " values (%s, 'report', 'default', %s)",
        (validation_id, bytes.fromhex(DIGEST)),
    )


async def remove(kept: Storage, *, grace_seconds: float = 600) -> int:
    _, removed = await PostgresExpiry(database=kept.database).remove_contents(
        kept.blobs.delete, grace_seconds=grace_seconds, limit=10
    )
    return removed


async def test_what_was_just_kept_is_spared_though_it_was_marked_long_ago(kept: Storage) -> None:
    await kept.keeper.keep([(DIGEST, CONTENT)])
    await mark(kept, minutes_ago=60)
    await kept.keeper.keep([(DIGEST, CONTENT)])
    assert await remove(kept) == 0
    await write_row(kept)
    assert await kept.keeper.fetch("default", DIGEST) == CONTENT


async def test_who_keeps_waits_for_a_purge_of_the_same_and_keeps_it_again(kept: Storage) -> None:
    await kept.keeper.keep([(DIGEST, CONTENT)])
    await mark(kept, minutes_ago=60)
    removing, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(digest: str) -> None:
        removing.set()
        await go_on.wait()
        await kept.blobs.delete(digest)

    expiry = PostgresExpiry(database=kept.database)
    purging = asyncio.create_task(expiry.remove_contents(slowly, grace_seconds=600, limit=10))
    await removing.wait()
    keeping = asyncio.create_task(kept.keeper.keep([(DIGEST, CONTENT)]))
    await asyncio.sleep(0.2)
    assert not keeping.done()
    go_on.set()
    assert await purging == (1, 1)
    await keeping
    await write_row(kept)
    assert await kept.keeper.fetch("default", DIGEST) == CONTENT


async def test_a_purge_that_broke_off_leaves_the_mark_to_the_next(kept: Storage) -> None:
    await kept.keeper.keep([(DIGEST, CONTENT)])
    await mark(kept, minutes_ago=60)

    async def break_off(digest: str) -> None:
        await kept.blobs.delete(digest)
        raise ConnectionResetError

    expiry = PostgresExpiry(database=kept.database)
    with pytest.raises(ConnectionResetError):
        await expiry.remove_contents(break_off, grace_seconds=600, limit=10)
    assert await remove(kept) == 1
    assert await remove(kept) == 0


async def test_a_marked_content_that_a_row_refers_to_stays(kept: Storage) -> None:
    await kept.keeper.keep([(DIGEST, CONTENT)])
    await write_row(kept, tenant="other")
    await mark(kept, minutes_ago=60)
    assert await remove(kept) == 0
    assert await kept.keeper.fetch("other", DIGEST) == CONTENT


async def test_a_document_that_is_being_referred_to_does_not_expire(kept: Storage) -> None:
    await kept.keeper.keep([(DIGEST, CONTENT)])
    await write_row(kept)
    expiry = PostgresExpiry(database=kept.database)
    await expiry.release_unneeded()  # nothing refers to it yet
    async with kept.database.transaction() as connection:
        await documents.keep(connection, "default", [ROW])
        await refer(connection, names.new_id())
        assert (await expiry.expire_documents(actor="absah", limit=10))[0] == 0
    looked_at, purged = await expiry.expire_documents(actor="absah", limit=10)
    assert (looked_at, purged.documents) == (1, 0)
    assert await kept.keeper.fetch("default", DIGEST) == CONTENT


async def test_documents_that_nothing_needs_are_let_go_a_few_at_a_time(
    kept: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(purging, "RELEASED_AT_A_TIME", 2)
    some = [KeptContent(digest=digest_of(b"%d" % n), size_bytes=1, media_type="") for n in range(5)]
    async with kept.database.transaction() as connection:
        await documents.keep(connection, "default", [ROW, *some])
        await documents.keep(connection, "other", some)
        await refer(connection, names.new_id())
    await PostgresExpiry(database=kept.database).release_unneeded()
    async with kept.database.connection() as connection:
        cursor = await connection.execute("select sha256 from documents where expire_time is null")
        assert [row["sha256"].hex() for row in await cursor.fetchall()] == [DIGEST]


async def test_who_names_a_document_that_is_being_deleted_is_told(kept: Storage) -> None:
    await kept.keeper.keep([(DIGEST, CONTENT)])
    await write_row(kept)
    expiry = PostgresExpiry(database=kept.database)
    await expiry.release_unneeded()
    assert (await expiry.expire_documents(actor="absah", limit=10))[1].documents == 1
    async with kept.database.transaction() as connection:
        with pytest.raises(DocumentNotFound):
            await documents.hold(connection, "default", [DIGEST])
