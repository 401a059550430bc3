"""Two who name and send each other's documents at the same time both succeed."""

from __future__ import annotations

import asyncio
import hashlib

import psycopg
from integration.validations.asking import Rows, column, entry

from absah_server.core.validation import Validation
from absah_server.store import documents
from absah_server.store.accepting import AcceptedWriter
from absah_server.store.database import Database
from absah_server.store.documents import KeptContent

NAMED, SENT = b"halo", b"selamat"


async def test_a_batch_that_meets_another_the_other_way_round_is_written_once_more(
    database_url: str, rows: Rows
) -> None:
    database = Database(database_url)
    await database.open()
    kept = [
        KeptContent(digest=digest(content), size_bytes=len(content), media_type="text/plain")
        for content in (NAMED, SENT)
    ]
    async with database.transaction() as connection:
        await documents.keep(connection, "default", kept)
    entries = [entry(stored=digest(NAMED)), entry(content=SENT)]
    async with await psycopg.AsyncConnection.connect(database_url) as other:
        await lock(other, SENT)
        writer = AcceptedWriter(database, lock_of=lambda entry: None)
        writing = asyncio.create_task(writer.write(entries))
        async with asyncio.timeout(20):
            while await column(rows, "select count(*) from pg_locks where not granted") == [0]:
                await asyncio.sleep(0.02)
        # It has waited for longer than this one will have, and is the one to give way.
        await lock(other, NAMED)
        await other.commit()
        answers = await writing
    await database.close()
    assert all(isinstance(answer, Validation) for answer in answers)
    assert await column(rows, "select count(*) from validations") == [2]
    assert await column(rows, "select count(*) from procrastinate_jobs") == [2]
    deadlocks = "select deadlocks from pg_stat_database where datname = current_database()"
    async with asyncio.timeout(20):
        while await column(rows, deadlocks) == [0]:
            await asyncio.sleep(0.1)


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


async def lock(connection: psycopg.AsyncConnection[tuple[object, ...]], content: bytes) -> None:
    await connection.execute(
        "select from documents where sha256 = %s for update", (hashlib.sha256(content).digest(),)
    )
