"""What PostgreSQL cannot do just now is told from its being gone, and from what is at fault."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import psycopg
import pytest
from durable import durable_server, durable_settings, outcomes

from absah.v1 import validation_pb2
from absah_server.core.errors import StoreHindered
from absah_server.store.database import Database

FULL = """
create function refuse() returns trigger language plpgsql as $$
begin raise exception 'could not extend file' using errcode = '53100'; end $$;
create trigger refuse before {what} on validations for each row execute function refuse()
"""


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    made = Database(database_url, statement_seconds=0.3)
    await made.open()
    yield made
    await made.close()


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("select pg_sleep(20)", "took too long"),
        ("begin transaction read only; create table kept (a integer)", "is read-only"),
        ("do $$ begin raise exception 'full' using errcode = '53100'; end $$", "no space left"),
        ("do $$ begin raise exception 'memory' using errcode = '53200'; end $$", "lacks memory"),
    ],
    ids=["timeout", "standby", "full disk", "no memory"],
)
async def test_what_time_may_mend_hinders_and_the_database_is_not_gone(
    database: Database, statement: str, problem: str
) -> None:
    with pytest.raises(StoreHindered, match=problem):
        async with database.connection() as connection:
            await connection.execute(statement.encode())
    assert database.available
    async with database.connection() as connection:
        await connection.execute("select 1")


async def test_a_wrong_statement_is_its_own_fault(database: Database) -> None:
    with pytest.raises(psycopg.errors.UndefinedTable):
        async with database.connection() as connection:
            await connection.execute("select * from nowhere")


def fill(database_url: str, what: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(FULL.format(what=what).encode())


async def test_a_full_database_refuses_with_a_time_to_come_back(
    tmp_path: Path, database_url: str
) -> None:
    async with durable_server(durable_settings(tmp_path, database_url)) as caller:
        fill(database_url, "insert")
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await caller.create("halo", "length")
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
    assert "no space left" in str(refused.value.details())
    assert "grpc-retry-pushback-ms" in dict(refused.value.trailing_metadata() or ())


async def test_a_verdict_that_a_full_database_cannot_take_is_kept_until_it_can(
    tmp_path: Path, database_url: str
) -> None:
    settings = durable_settings(tmp_path, database_url, jobs={"stalled_after_seconds": 60.0})
    async with durable_server(settings) as caller:
        created = await caller.create("0.5", "slow")
        await caller.until(created.name, validation_pb2.STATE_RUNNING)
        fill(database_url, "update")
        await asyncio.sleep(1.5)  # the check has ended meanwhile
        assert (await caller.get(created.name)).state == validation_pb2.STATE_RUNNING
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute("drop trigger refuse on validations")
        ended = await caller.ended(created.name)
    assert ended.state == validation_pb2.STATE_SUCCEEDED
    assert outcomes(database_url, created.name) == ["SUCCEEDED"]
