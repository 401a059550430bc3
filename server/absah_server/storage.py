"""Open what is kept: the database, embedded or named, and the store of contents."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from absah_sdk import AbsahError
from absah_server.blobs.files import FileBlobs
from absah_server.blobs.paired import PairedBlobs
from absah_server.blobs.partials import FilePartials
from absah_server.core.keeping import DocumentKeeper
from absah_server.core.ports import Blobs
from absah_server.core.slots import PolicySlots
from absah_server.settings import BlobSettings, Settings
from absah_server.store import jobs, migrations, pairing, validations
from absah_server.store.database import Database
from absah_server.store.documents import Documents
from absah_server.store.embedded import EmbeddedPostgres
from absah_server.store.notifications import Notifications, ValidationChanges
from absah_server.store.validation_store import PostgresValidations

log = logging.getLogger(__name__)
REVIVE_SECONDS = 1.0
HOUR_SECONDS = 3600.0
DAY_SECONDS = 24 * HOUR_SECONDS


@dataclass(frozen=True, kw_only=True, slots=True)
class Storage:
    """What is kept, opened."""

    database: Database
    blobs: Blobs
    partials: FilePartials
    documents: Documents
    validations: PostgresValidations
    notifications: Notifications
    changes: ValidationChanges
    slots: PolicySlots

    @property
    def keeper(self) -> DocumentKeeper:
        """What keeps contents; `blobs` alone would race with who purges."""
        return DocumentKeeper(blobs=self.blobs, index=self.documents)


@asynccontextmanager
async def opened_database(settings: Settings) -> AsyncIterator[Database]:
    """Open the database alone, whatever its schema is; an embedded one is kept alive meanwhile.

    Raises `StoreUnavailable`.
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
            reviving = asyncio.create_task(_revive(embedded, database))
            stack.callback(reviving.cancel)
        yield database


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Storage]:
    """Open the storage and close it at the end.

    The schema of an embedded database is brought up to date, that of a named one is only looked
    at: its operator says when. Raises `StoreUnavailable`, `SchemaOutdated`, `SchemaUnknown` or
    `ContentStoreUnknown`.
    """
    async with contextlib.AsyncExitStack() as stack:
        database = await stack.enter_async_context(opened_database(settings))
        if settings.database_url.get_secret_value():
            await migrations.verify(database)
        else:
            await migrations.migrate(database)
        blobs = make_blobs(settings.blobs, settings.data)
        stack.push_async_callback(blobs.close)
        if not settings.blobs.adopt:
            # Before anything is made there: where a folder is not mounted, those who lost it under
            # way must not find one that looks as if it were.
            await pairing.verify(database, blobs, where=_where(settings))
        await blobs.start()
        mark = await pairing.pair(
            database, blobs, where=_where(settings), adopt=settings.blobs.adopt
        )
        partials = FilePartials(settings.data / "blobs" / "uploads")
        stack.push_async_callback(partials.close)
        notifications = Notifications(database.url, channels=(validations.CHANNEL, jobs.CHANNEL))
        await notifications.start()
        stack.push_async_callback(notifications.close)
        changes = ValidationChanges(notifications, validations.CHANNEL)
        changes.start()
        stack.callback(changes.close)
        slots = PolicySlots(limits=settings.jobs.policy_concurrency)
        yield Storage(
            database=database,
            validations=PostgresValidations(
                database, lock_of=lambda entry: slots.lock(entry.request.policy)
            ),
            notifications=notifications,
            changes=changes,
            slots=slots,
            blobs=PairedBlobs(blobs=blobs, mark=mark),
            partials=partials,
            documents=Documents(
                database,
                upload_seconds=settings.blobs.upload_days * DAY_SECONDS,
                partial_seconds=settings.blobs.partial_hours * HOUR_SECONDS,
            ),
        )


async def verify_pairing(settings: Settings, database: Database) -> None:
    """Raise `ContentStoreUnknown` if the store of contents is another database's; changes nothing.

    Raises `StoreUnavailable` too.
    """
    blobs = make_blobs(settings.blobs, settings.data)
    try:
        await pairing.verify(database, blobs, where=_where(settings))
    finally:
        await blobs.close()


def _where(settings: Settings) -> str:
    if settings.blobs.kind == "files":
        return f"the folder {settings.data / 'blobs'}"
    return f"the bucket {settings.blobs.bucket!r}, prefix {settings.blobs.prefix!r}"


def make_blobs(settings: BlobSettings, data: Path) -> Blobs:
    """The store of contents that the settings name; it is not started yet."""
    if settings.kind == "files":
        return FileBlobs(data / "blobs")
    try:
        # Imported here: it is an extra.
        from absah_server.blobs.s3 import S3Blobs
    except ImportError as exc:
        raise AbsahError("blobs.kind is s3, which needs: pip install 'absah[s3]'") from exc

    return S3Blobs(
        bucket=settings.bucket,
        endpoint=settings.endpoint,
        region=settings.region,
        prefix=settings.prefix,
    )


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
