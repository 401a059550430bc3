"""Migrations apply once, in order, and tell the truth about what is missing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from absah_server.core.errors import SchemaBusy, SchemaOutdated, SchemaUnknown, StoreUnavailable
from absah_server.store import migrations
from absah_server.store.database import Connection, Database


@pytest.fixture
async def empty(empty_database_url: str) -> AsyncIterator[Database]:
    database = Database(empty_database_url)
    await database.open()
    yield database
    await database.close()


async def test_migrating_applies_everything_once(empty: Database) -> None:
    first = await migrations.migrate(empty)
    assert [m.version for m in first] == [m.version for m in migrations.known()]
    assert await migrations.migrate(empty) == []
    assert all(step.apply_time for step in await migrations.status(empty))
    await migrations.verify(empty)


async def test_two_migrators_at_once_apply_each_migration_once(empty: Database) -> None:
    both = await asyncio.gather(migrations.migrate(empty), migrations.migrate(empty))
    assert sorted(m.version for made in both for m in made) == [
        m.version for m in migrations.known()
    ]


async def test_a_migration_gives_way_to_who_uses_what_it_changes(empty: Database) -> None:
    await migrations.migrate(empty)
    last = migrations.known()[-1]
    forget = "delete from schema_migrations where version = %s"
    async with empty.connection() as connection:
        await connection.execute(forget, (last.version,))
        async with empty.transaction() as other:
            await other.execute(migrations.SQL["take_turn"])
            with pytest.raises(SchemaBusy, match="Run it again"):
                await migrations.migrate(empty)
        assert await missing(empty) == [last.version]


async def test_an_index_of_jobs_is_built_while_jobs_are_being_written(empty: Database) -> None:
    await migrations.migrate(empty)
    (beside,) = [m for m in migrations.known() if m.outside]
    begun = asyncio.Event()

    async def migrate() -> None:
        begun.set()
        await migrations.migrate(empty)

    async with empty.connection() as connection:
        forget = "delete from schema_migrations where version = %s"
        await connection.execute(forget, (beside.version,))
        async with empty.transaction() as old_server:
            await old_server.execute(
                "insert into procrastinate_jobs (queue_name, task_name) values ('x', 'x')"
            )
            migrating = asyncio.create_task(migrate())
            await begun.wait()
            async with asyncio.timeout(10):
                while not await waiting(connection):
                    await asyncio.sleep(0.02)
            # What is built waits for that one, and no other waits for what is built.
            async with empty.transaction() as another:
                await another.execute("set local lock_timeout = '1s'")
                await another.execute(
                    "insert into procrastinate_jobs (queue_name, task_name) values ('y', 'y')"
                )
        await migrating
        cursor = await connection.execute(
            "select indisvalid from pg_index where indexrelid = 'jobs_of_workers'::regclass"
        )
        assert await cursor.fetchall() == [{"indisvalid": True}]
    await migrations.verify(empty)


async def waiting(connection: Connection) -> bool:
    """Whether the index is being built, and waits for those who write."""
    cursor = await connection.execute(
        "select from pg_stat_activity where datname = current_database()"
        " and query ilike '%index concurrently%' and wait_event_type = 'Lock'"
    )
    return bool(await cursor.fetchall())


async def test_an_index_whose_building_was_broken_off_is_built_anew(empty: Database) -> None:
    await migrations.migrate(empty)
    (beside,) = [m for m in migrations.known() if m.outside]
    async with empty.connection() as connection:
        await connection.execute(
            "update pg_index set indisvalid = false where indexrelid = 'jobs_of_workers'::regclass"
        )
        forget = "delete from schema_migrations where version = %s"
        await connection.execute(forget, (beside.version,))
        assert await migrations.migrate(empty) == [beside]
        cursor = await connection.execute(
            "select indisvalid from pg_index where indexrelid = 'jobs_of_workers'::regclass"
        )
        assert await cursor.fetchall() == [{"indisvalid": True}]


async def missing(database: Database) -> list[int]:
    return [s.version for s in await migrations.status(database) if s.apply_time is None]


async def test_a_database_without_the_schema_is_refused_with_the_command_to_run(
    empty: Database,
) -> None:
    with pytest.raises(SchemaOutdated, match="absah db migrate"):
        await migrations.verify(empty)


async def test_a_migration_that_was_altered_after_it_was_applied_is_refused(
    empty: Database,
) -> None:
    await migrations.migrate(empty)
    async with empty.connection() as connection:
        await connection.execute("update schema_migrations set sha256 = '\\x00'")
    with pytest.raises(SchemaUnknown, match="0001"):
        await migrations.verify(empty)


async def test_a_newer_database_serves_an_older_program(empty: Database) -> None:
    await migrations.migrate(empty)
    async with empty.connection() as connection:
        await connection.execute(
            "insert into schema_migrations (version, name, sha256) values (9999, 'future', '\\x01')"
        )
    await migrations.verify(empty)
    assert (await migrations.status(empty))[-1].name == "future"


async def test_a_database_that_is_not_there_is_unavailable() -> None:
    database = Database("postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(StoreUnavailable):
        await database.open(timeout_seconds=1.0)
