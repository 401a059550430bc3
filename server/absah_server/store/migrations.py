"""Bring a database to the schema that this version needs: plain SQL files, each applied once.

A migration runs in a transaction of its own and only adds: columns and tables that an older server
does not know, or that it can leave empty. What is no longer used is dropped by a later version's
migration, so that servers of two versions can serve beside each other. One that builds an index of
what may be large does so outside a transaction, concurrently, which holds up nobody; as it may be
broken off half-way, it must be safe to begin anew.
"""

from __future__ import annotations

import asyncio
import datetime
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

import procrastinate.schema
import psycopg

from absah_server.core.errors import SchemaBusy, SchemaOutdated, SchemaUnknown
from absah_server.store import queries
from absah_server.store.database import Connection, Database

SQL = queries.load("migrations")
_FILE = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
_INCLUDE = re.compile(r"^-- include: procrastinate$", re.MULTILINE)
_OUTSIDE = "-- outside a transaction\n"
TURN_SECONDS = 0.1
TURNS = 50
"""How often another migrator is given the time to end."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Migration:
    """One step of the schema. `sha256` is that of the file as it is written."""

    version: int
    name: str
    text: str
    sha256: bytes

    @property
    def outside(self) -> Sequence[bytes]:
        """Statements to execute each by itself, where the file says so; else none."""
        if not self.text.startswith(_OUTSIDE):
            return []
        return [part.encode() for part in self.text.split(";\n") if part.strip()]

    @property
    def statements(self) -> bytes:
        """What to execute: the file, with procrastinate's own schema where it asks for it."""
        schema = procrastinate.schema.SchemaManager.get_schema()
        return _INCLUDE.sub(lambda _: schema, self.text).encode()


@dataclass(frozen=True, kw_only=True, slots=True)
class Status:
    """A migration and when it was applied, if it was."""

    version: int
    name: str
    apply_time: datetime.datetime | None


def known() -> Sequence[Migration]:
    """The migrations of this version, in their order."""
    folder = resources.files("absah_server.store").joinpath("migrations")
    found = []
    for file in folder.iterdir():
        if match := _FILE.fullmatch(file.name):
            text = file.read_text("utf-8")
            digest = hashlib.sha256(text.encode()).digest()
            found.append(Migration(version=int(match[1]), name=match[2], text=text, sha256=digest))
    return sorted(found, key=lambda migration: migration.version)


async def migrate(database: Database) -> Sequence[Migration]:
    """Apply what is missing and return it.

    Raises `SchemaUnknown`, `SchemaBusy` or `StoreUnavailable`; what was applied until then stays.
    """
    return [migration for migration in known() if await _applied_now(database, migration)]


async def _applied_now(database: Database, migration: Migration) -> bool:
    """Apply a migration unless it is there already."""
    try:
        for _ in range(TURNS):
            async with database.transaction() as connection:
                await connection.execute(SQL["limit_waiting"])
                await connection.execute(SQL["take_time"])
                if await _is_our_turn(connection):
                    return await _applied_in_turn(database, connection, migration)
            # Not within the transaction: what is built concurrently waits for all that are open.
            await asyncio.sleep(TURN_SECONDS)
    except psycopg.errors.LockNotAvailable as exc:
        raise SchemaBusy(version=migration.version, name=migration.name) from exc
    raise SchemaBusy(version=migration.version, name=migration.name)


async def _is_our_turn(connection: Connection) -> bool:
    row = await (await connection.execute(SQL["take_turn"])).fetchone()
    return bool(row and row["mine"])


async def _applied_in_turn(
    database: Database, connection: Connection, migration: Migration
) -> bool:
    await connection.execute(SQL["create_table"])
    if migration.version in await _applied(connection):
        return False
    if migration.outside:
        await _execute_outside(database, migration.outside)
    else:
        await connection.execute(migration.statements)
    row = {"version": migration.version, "name": migration.name, "sha256": migration.sha256}
    await connection.execute(SQL["record"], row)
    return True


async def _execute_outside(database: Database, statements: Sequence[bytes]) -> None:
    """Execute each by itself, for as long as it takes, on a connection of their own."""
    connection = await psycopg.AsyncConnection.connect(
        database.url, autocommit=True, options="-c statement_timeout=0"
    )
    async with connection:
        for statement in statements:
            await connection.execute(statement)


async def status(database: Database) -> Sequence[Status]:
    """Every migration of this version, and those that a newer one applied.

    Raises `SchemaUnknown` or `StoreUnavailable`.
    """
    async with database.connection() as connection:
        applied = await _applied(connection)
    own = {m.version: Status(version=m.version, name=m.name, apply_time=None) for m in known()}
    steps = own | applied
    return [steps[version] for version in sorted(steps)]


async def verify(database: Database) -> None:
    """Raise `SchemaOutdated` if a migration of this version is missing."""
    missing = [step.version for step in await status(database) if step.apply_time is None]
    if missing:
        raise SchemaOutdated(missing=missing)


async def _applied(connection: Connection) -> dict[int, Status]:
    row = await (await connection.execute(SQL["exists"])).fetchone()
    if not row or not row["found"]:
        return {}
    rows = await (await connection.execute(SQL["applied"])).fetchall()
    known_digests = {migration.version: migration.sha256 for migration in known()}
    for each in rows:
        if known_digests.get(each["version"], each["sha256"]) != each["sha256"]:
            raise SchemaUnknown(version=each["version"], name=each["name"])
    return {
        each["version"]: Status(
            version=each["version"], name=each["name"], apply_time=each["apply_time"]
        )
        for each in rows
    }
