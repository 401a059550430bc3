"""A database and the store of its documents belong together, and no server takes another one."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import psycopg
import pytest
from support import make_settings

from absah_server import storage
from absah_server.core.errors import ContentStoreUnknown, DocumentNotFound, StoreUnavailable
from absah_server.settings import Settings
from absah_server.store import queries
from absah_server.store.purging import PostgresExpiry

AUDIT = queries.load("audit")


def settings(tmp_path: Path, database_url: str, folder: str, **blobs: Any) -> Settings:
    return make_settings(
        tmp_path,
        store={"kind": "postgres"},
        database_url=database_url,
        data=tmp_path / folder,
        blobs=blobs,
    )


async def opened(given: Settings) -> None:
    async with storage.opened(given):
        pass


async def test_servers_that_share_both_open_both(tmp_path: Path, database_url: str) -> None:
    given = settings(tmp_path, database_url, "one")
    await asyncio.gather(opened(given), opened(given))
    await opened(given)


async def test_one_whose_documents_are_elsewhere_is_refused_with_what_to_do(
    tmp_path: Path, database_url: str
) -> None:
    await opened(settings(tmp_path, database_url, "one"))
    with pytest.raises(ContentStoreUnknown, match=r"two/blobs.*ABSAH_BLOBS__ADOPT"):
        await opened(settings(tmp_path, database_url, "two"))
    await opened(settings(tmp_path, database_url, "one"))


async def test_one_that_is_refused_leaves_nothing_where_documents_should_be(
    tmp_path: Path, database_url: str
) -> None:
    await opened(settings(tmp_path, database_url, "one"))
    with pytest.raises(ContentStoreUnknown):
        await opened(settings(tmp_path, database_url, "two"))
    assert not (tmp_path / "two" / "blobs" / "incoming").exists()


async def test_a_missing_document_is_told_from_a_store_that_is_no_longer_there(
    tmp_path: Path, database_url: str
) -> None:
    folder = tmp_path / "one" / "blobs"
    async with storage.opened(settings(tmp_path, database_url, "one")) as kept:
        with pytest.raises(DocumentNotFound):
            await kept.blobs.get("ab" * 32)
        folder.rename(tmp_path / "away")
        folder.mkdir()
        with pytest.raises(StoreUnavailable, match="not mounted"):
            await kept.blobs.get("ab" * 32)


async def test_who_pairs_does_not_wait_for_who_seals(tmp_path: Path, database_url: str) -> None:
    given = settings(tmp_path, database_url, "one")
    await opened(given)
    async with await psycopg.AsyncConnection.connect(database_url) as sealing:
        assert await (await sealing.execute(AUDIT["try_sealing"])).fetchall() == [(True,)]
        async with asyncio.timeout(10):
            await opened(given)


async def test_another_store_is_adopted_in_place_of_one_that_is_lost(
    tmp_path: Path, database_url: str
) -> None:
    await opened(settings(tmp_path, database_url, "one"))
    await opened(settings(tmp_path, database_url, "two", adopt=True))
    await opened(settings(tmp_path, database_url, "two"))
    with pytest.raises(ContentStoreUnknown):
        await opened(settings(tmp_path, database_url, "one"))


async def test_the_mark_is_never_purged(tmp_path: Path, database_url: str) -> None:
    given = settings(tmp_path, database_url, "one")
    async with storage.opened(given) as kept:
        expiry = PostgresExpiry(database=kept.database)
        there = [digest async for digest in kept.blobs.digests(older_than_seconds=-60)]
        async with kept.database.connection() as connection:
            # As if it had been marked before it was the pair's.
            await connection.execute(
                "insert into unneeded_contents select sha256, now() from content_store"
            )
        await expiry.mark_unknown(there)
        removed = await expiry.remove_contents(kept.blobs.delete, grace_seconds=0, limit=10)
    assert (len(there), removed) == (1, (1, 0))
    await opened(given)
