"""Keep results of checks in PostgreSQL, and their artifacts among the other contents.

Nothing refers to those artifacts but the result, so they may be purged before it is: then it is as
if there were no result.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from absah_sdk import Artifact
from absah_server.core.errors import ContentDamaged, DocumentNotFound, StoreUnavailable
from absah_server.core.keeping import DocumentKeeper
from absah_server.core.validation import CheckResult
from absah_server.store import archive, queries
from absah_server.store.database import Connection, Database

log = logging.getLogger(__name__)
SQL = queries.load("cached_results")
MAX_WAITING = 256
"""Results that wait to be written; more are not kept."""
BATCH = 64
TOUCH_SECONDS = 60.0
PURGE_SECONDS = 600.0
PURGE_LIMIT = 5000


@dataclass(frozen=True, kw_only=True, slots=True)
class _Kept:
    key: bytes
    tenant: str
    digest: str
    result: CheckResult


class PostgresResultCache:
    """The cache, as `ports.ResultCache`; `run` writes what is to be kept.

    What was not used for `max_age_seconds` is purged.
    """

    def __init__(
        self, database: Database, keeper: DocumentKeeper, *, max_age_seconds: float
    ) -> None:
        self._database = database
        self._keeper = keeper
        self._max_age_seconds = max_age_seconds
        self._waiting: asyncio.Queue[_Kept] = asyncio.Queue(MAX_WAITING)
        self._used: set[bytes] = set()
        self._touched = self._purged = time.monotonic()

    async def find(self, keys: Collection[bytes]) -> Mapping[bytes, CheckResult]:
        async with self._database.connection() as connection:
            cursor = await connection.execute(SQL["find"], {"keys": list(keys)})
            rows = await cursor.fetchall()
        whole = await asyncio.gather(*(self._whole(row) for row in rows))
        found = {row["key"]: result for row, result in zip(rows, whole, strict=True) if result}
        self._used.update(found)
        return found

    def keep(self, key: bytes, result: CheckResult, *, tenant: str, digest: str) -> None:
        kept = _Kept(key=key, tenant=tenant, digest=digest, result=result)
        if not self._waiting.full():
            self._waiting.put_nowait(kept)

    async def run(self) -> None:
        """Write, touch and purge until cancelled; a failure loses what it was about."""
        while True:
            try:
                await self._turn()
            except StoreUnavailable:
                await asyncio.sleep(1.0)
            except Exception:
                log.exception("cached results could not be written")

    async def written(self) -> None:
        """Wait until nothing waits to be written."""
        await self._waiting.join()

    async def _turn(self) -> None:
        """Write what comes within the time to the next touch, then touch and purge if it is due."""
        batch = []
        try:
            async with asyncio.timeout(TOUCH_SECONDS):
                batch.append(await self._waiting.get())
        except TimeoutError:
            pass  # nothing came; the rest may still be due
        while len(batch) < BATCH and not self._waiting.empty():
            batch.append(self._waiting.get_nowait())
        try:
            if batch:
                await self._write(batch)
        finally:
            for _ in batch:
                self._waiting.task_done()
        now = time.monotonic()
        if now - self._touched >= TOUCH_SECONDS:
            self._touched = now
            await self._touch()
        if now - self._purged >= PURGE_SECONDS:
            self._purged = now
            await self.purge()

    async def purge(self) -> int:
        """Remove what was not used for long, and return how many results that were."""
        removed = 0
        while True:
            given = {"seconds": self._max_age_seconds, "limit": PURGE_LIMIT}
            async with self._database.connection() as connection:
                count = (await connection.execute(SQL["purge"], given)).rowcount
            removed += count
            if count < PURGE_LIMIT:
                return removed

    async def _write(self, batch: Sequence[_Kept]) -> None:
        await self._keeper.keep(
            (record.digest, artifact.content)
            for kept in batch
            for record, artifact in zip(
                kept.result.artifacts, kept.result.result.artifacts, strict=True
            )
        )
        rows = list({kept.key: kept for kept in batch}.values())
        async with self._database.transaction() as connection:
            await connection.execute(SQL["lose_last"])
            await connection.execute(
                SQL["keep"],
                {
                    "keys": [kept.key for kept in rows],
                    "tenants": [kept.tenant for kept in rows],
                    "sha256s": [bytes.fromhex(kept.digest) for kept in rows],
                    "results": [archive.check_result.write(kept.result) for kept in rows],
                },
            )

    async def _touch(self) -> None:
        used, self._used = self._used, set()
        if used:
            async with self._database.connection() as connection:
                await connection.execute(SQL["touch"], {"keys": list(used)})

    async def _whole(self, row: Mapping[str, Any]) -> CheckResult | None:
        """The result with its artifacts; None where one is gone, or an older version wrote it."""
        try:
            result = archive.check_result.read(row["result"])
            contents = [await self._keeper.blobs.get(a.digest) for a in result.artifacts]
        except (ValueError, DocumentNotFound, ContentDamaged):
            return None
        artifacts = [
            Artifact(name=a.name, media_type=a.media_type, content=content, page=a.page)
            for a, content in zip(result.artifacts, contents, strict=True)
        ]
        return replace(result, result=replace(result.result, artifacts=artifacts))


async def forget(connection: Connection, sha256s: Collection[bytes]) -> None:
    """Remove what was found in contents that are deleted, in the transaction that does so."""
    await connection.execute(SQL["forget"], {"sha256s": list(sha256s)})
