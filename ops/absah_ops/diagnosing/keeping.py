"""The database and its schema, the space that is left, and the store of contents.

Nothing is started, made or written for it: what a server would make is told as such.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from absah_ops.diagnosing.diagnosis import LOOK_SECONDS, Diagnosis, Look
from absah_sdk import AbsahError
from absah_server import storage
from absah_server.core.errors import (
    ContentStoreUnknown,
    SchemaOutdated,
    SchemaUnknown,
    StoreUnavailable,
)
from absah_server.settings import Settings
from absah_server.store import database, embedded, migrations

LEAST_FREE_BYTES = 2**30
GIB = 2**30
FOLDER_MEND = "let the server's user write there, or name another folder: ABSAH_DATA"
UNTOLD = "see whether the database was started, and ABSAH_DATABASE_URL"


def looks(settings: Settings) -> Iterator[Look]:
    """How to look at what is kept."""
    if settings.store.kind == "none":
        yield Look(what="store", at=_nothing_kept)
        return
    yield Look(what="database", at=lambda: asyncio.run(_database(settings)))
    yield Look(what="disk", at=lambda: _disk(settings.data))
    if settings.blobs.kind == "s3":
        yield Look(what="documents", at=lambda: asyncio.run(_bucket(settings)))
    else:
        yield Look(what="documents", at=lambda: _folder("documents", settings.data / "blobs"))


def _nothing_kept() -> Diagnosis:
    return Diagnosis(what="store", ok=True, found="nothing is kept, as the settings say")


async def _database(settings: Settings) -> Sequence[Diagnosis]:
    url = settings.database_url.get_secret_value()
    if url:
        problem = await database.why_unreachable(url, timeout_seconds=LOOK_SECONDS)
        if problem:
            return [Diagnosis(what="database", ok=False, found=problem, mend=UNTOLD)]
        named = Diagnosis(what="database", ok=True, found="ABSAH_DATABASE_URL answers")
        return [named, *await _within(settings, url)]
    return await _embedded(settings)


async def _embedded(settings: Settings) -> Sequence[Diagnosis]:
    """The folder of the server's own PostgreSQL; it is asked only where it runs already."""
    folder = settings.data / "postgres"
    usable = _folder("database", folder)
    if not usable.ok:
        return [usable]
    made_by, needed = embedded.version_of(folder), embedded.needed_version()
    if made_by is None:
        found = f"{folder} is made when a server starts"
        return [Diagnosis(what="database", ok=True, found=found)]
    if made_by != needed:
        return [
            Diagnosis(
                what="database",
                ok=False,
                found=f"{folder} is of PostgreSQL {made_by}; this version runs {needed}",
                mend="run the version of absah that made it, and move over with pg_dump",
            )
        ]
    url = embedded.running_url(folder)
    if url is None:
        found = f"{folder} is in order, and started by a server"
        return [Diagnosis(what="database", ok=True, found=found)]
    problem = await database.why_unreachable(url, timeout_seconds=LOOK_SECONDS)
    if problem:
        mend = "stop what uses the folder, and start a server again"
        return [Diagnosis(what="database", ok=False, found=problem, mend=mend)]
    answers = Diagnosis(what="database", ok=True, found=f"{folder} runs")
    return [answers, *await _within(settings, url)]


async def _within(settings: Settings, url: str) -> Sequence[Diagnosis]:
    """The schema of a database that answers, and whose documents lie in the store of contents."""
    opened = storage.connect(settings, url)
    try:
        await opened.open(timeout_seconds=LOOK_SECONDS)
        try:
            await migrations.verify(opened)
        except SchemaOutdated as exc:
            return [Diagnosis(what="schema", ok=False, found=str(exc), mend="absah db migrate")]
        schema = Diagnosis(what="schema", ok=True, found="is that of this version")
        return [schema, *await _contents(settings, opened)]
    except StoreUnavailable as exc:
        return [Diagnosis(what="schema", ok=False, found=str(exc), mend=UNTOLD)]
    except SchemaUnknown as exc:
        return [Diagnosis(what="schema", ok=False, found=str(exc), mend="name another database")]
    finally:
        await opened.close()


async def _contents(settings: Settings, opened: database.Database) -> Sequence[Diagnosis]:
    """Told only where it is wrong: a bucket that does not answer is told elsewhere."""
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            await storage.verify_pairing(settings, opened)
    except ContentStoreUnknown as exc:
        mend = "name the folder or bucket that the other servers of the database have"
        return [Diagnosis(what="contents", ok=False, found=str(exc), mend=mend)]
    except (StoreUnavailable, TimeoutError):
        pass
    return []


def _disk(data: Path) -> Diagnosis:
    free = shutil.disk_usage(_nearest(data)).free
    return Diagnosis(
        what="disk",
        ok=free >= LEAST_FREE_BYTES,
        found=f"{free / GIB:.1f} GiB are free for {data}",
        mend="make room, or name a folder on another disk: ABSAH_DATA",
    )


def _folder(what: str, folder: Path) -> Diagnosis:
    """Whether a server may write to a folder, or make it."""
    nearest = _nearest(folder)
    if not nearest.is_dir():
        problem = f"{nearest} is no folder"
    elif not os.access(nearest, os.W_OK | os.X_OK):
        problem = f"{nearest} cannot be written to"
    else:
        found = f"{folder} can be written to" if nearest == folder else f"{folder} can be made"
        return Diagnosis(what=what, ok=True, found=found)
    return Diagnosis(what=what, ok=False, found=problem, mend=FOLDER_MEND)


def _nearest(folder: Path) -> Path:
    """The folder, or of those above it the first that is there."""
    return next(path for path in (folder, *folder.absolute().parents) if path.exists())


async def _bucket(settings: Settings) -> Diagnosis:
    """Whether the bucket answers; whether it may be written to shows when something is."""
    mend = "see blobs.bucket, blobs.endpoint and the AWS_* variables"
    blobs = storage.make_blobs(settings.blobs, settings.data)
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            await blobs.start()
    except TimeoutError:
        found = f"the bucket {settings.blobs.bucket!r} does not answer"
        return Diagnosis(what="documents", ok=False, found=found, mend=mend)
    except AbsahError as exc:
        return Diagnosis(what="documents", ok=False, found=str(exc), mend=mend)
    finally:
        await blobs.close()
    found = f"the bucket {settings.blobs.bucket!r} answers"
    return Diagnosis(what="documents", ok=True, found=found)
