"""Open what is kept: the database, embedded or named, and the store of contents."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from absah_server.settings import Settings
from absah_server.store import migrations
from absah_server.store.database import Database
from absah_server.store.embedded import EmbeddedPostgres

log = logging.getLogger(__name__)
REVIVE_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Storage:
    """What is kept, opened."""

    database: Database


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Storage]:
    """Open the storage and close it at the end.

    The schema of an embedded database is brought up to date, that of a named one is only looked
    at: its operator says when. Raises `StoreUnavailable`, `SchemaOutdated` or `SchemaUnknown`.
    """
    async with contextlib.AsyncExitStack() as stack:
        embedded = None
        url = settings.database_url.get_secret_value()
        if not url:
            embedded = EmbeddedPostgres(settings.data / "postgres")
            url = await asyncio.to_thread(embedded.start)
            stack.push_async_callback(asyncio.to_thread, embedded.close)
        database = connect(settings, url)
        await database.open()
        stack.push_async_callback(database.close)
        if embedded:
            await migrations.migrate(database)
            reviving = asyncio.create_task(_revive(embedded, database))
            stack.callback(reviving.cancel)
        else:
            await migrations.verify(database)
        yield Storage(database=database)


def connect(settings: Settings, url: str) -> Database:
    """A database that is not opened yet."""
    return Database(
        url,
        max_connections=settings.store.max_connections,
        wait_seconds=settings.store.wait_seconds,
        statement_seconds=settings.store.statement_seconds,
    )


async def _revive(embedded: EmbeddedPostgres, database: Database) -> None:
    """Start the embedded PostgreSQL anew whenever it is gone: nobody else does."""
    while True:
        await database.changed()
        while not database.available:
            try:
                await asyncio.to_thread(embedded.revive)
            except Exception:
                log.exception("embedded database does not start")
            await asyncio.sleep(REVIVE_SECONDS)
