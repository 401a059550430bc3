"""A database and the store of its documents belong together, and no server takes another one."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from support import make_settings

from absah_server import storage
from absah_server.core.errors import ContentStoreUnknown
from absah_server.settings import Settings
from absah_server.store.purging import PostgresExpiry


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
