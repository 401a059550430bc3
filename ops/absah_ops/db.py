"""`absah db`: the schema of the database that the settings name."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import click

from absah_ops import calling, showing
from absah_ops.calling import json_option
from absah_ops.failing import Failing
from absah_server import storage
from absah_server.core.audit import AuditEvent
from absah_server.core.callers import Caller
from absah_server.settings import Settings
from absah_server.store import migrations
from absah_server.store.audit import PostgresAuditLog
from absah_server.store.database import Database
from absah_server.store.migrations import Migration, Status

T = TypeVar("T")


@click.group(cls=Failing)
def db() -> None:
    """Bring the database to the schema of this version, or see where it stands.

    The database is that of ABSAH_DATABASE_URL or absah.toml, or the embedded one, which the server
    brings up to date by itself.
    """


@db.command()
@json_option
def migrate(as_json: bool) -> None:
    """Apply what is missing. Servers of this version and the one before may run meanwhile."""
    applied: Sequence[Migration] = _with_database(_migrate)
    if as_json:
        for step in applied:
            click.echo(json.dumps({"version": step.version, "name": step.name}))
        return
    for step in applied:
        click.echo(f"applied {step.version:04} {step.name}")
    if not applied:
        click.echo("nothing was missing")


@db.command()
@json_option
def status(as_json: bool) -> None:
    """List the migrations and when they were applied; exits with 1 where one is missing."""
    steps: Sequence[Status] = _with_database(migrations.status)
    if as_json:
        for step in steps:
            moment = step.apply_time.isoformat() if step.apply_time else None
            click.echo(
                json.dumps({"version": step.version, "name": step.name, "apply_time": moment})
            )
    else:
        showing.table(("migration", "name", "applied"), [_row(step) for step in steps])
    if any(step.apply_time is None for step in steps):
        raise SystemExit(1)


async def _migrate(database: Database) -> Sequence[Migration]:
    """Migrate, and tell it in the audit log, which may only have come to be thereby."""
    applied = await migrations.migrate(database)
    if applied:
        nobody = Caller()
        event = AuditEvent(
            tenant=nobody.tenant,
            actor=calling.login() or nobody.client,
            action="database.migrated",
            subject="database",
            details={"applied": [f"{step.version:04} {step.name}" for step in applied]},
        )
        await PostgresAuditLog(database).append([event])
    return applied


def _row(step: Status) -> tuple[str, str, str]:
    moment = step.apply_time.strftime("%Y-%m-%d %H:%M:%S UTC") if step.apply_time else "missing"
    return f"{step.version:04}", step.name, moment


def _with_database(use: Callable[[Database], Awaitable[T]]) -> T:
    async def run() -> T:
        async with storage.opened_database(Settings()) as database:
            return await use(database)

    return asyncio.run(run())
