"""Remove what has been kept long enough: contents go, the record of what was decided stays.

Each step is a transaction of its own and finds by itself what is left to do, so that a purge may
break off anywhere and several servers may purge at once.
"""

from __future__ import annotations

import asyncio
import datetime
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Protocol

from absah_server.core.audit import SERVER
from absah_server.core.callers import Caller
from absah_server.core.errors import StoreUnavailable
from absah_server.core.ports import Blobs, Partials

log = logging.getLogger(__name__)

BATCH = 100
REMOVED_AT_A_TIME = 20
"""Few, since whoever keeps one of them anew waits meanwhile."""
SWEPT_AT_A_TIME = 500
SWEEP_SECONDS = 24 * 3600.0
"""How often, and from what age on, contents are looked for that no row came to refer to."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Retention:
    """How many days contents of validations are kept: by policy, and of all others.

    `by_policy` has versions ("field-report@1") and names ("field-report"), which stand for the
    versions that are not there. None keeps contents.
    """

    default_days: int | None = None
    by_policy: Mapping[str, int | None] = field(default_factory=dict)

    def cutoffs(self, now: datetime.datetime) -> Cutoffs:
        """Before which times contents are due."""
        return Cutoffs(
            default=_before(now, self.default_days),
            by_policy={policy: _before(now, days) for policy, days in self.by_policy.items()},
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Cutoffs:
    """What validations made before are due; None where they are kept."""

    default: datetime.datetime | None
    by_policy: Mapping[str, datetime.datetime | None]


def _before(now: datetime.datetime, days: int | None) -> datetime.datetime | None:
    return None if days is None else now - datetime.timedelta(days=days)


@dataclass(frozen=True, kw_only=True, slots=True)
class Purged:
    """What a purge did, or would do.

    `validations` lost their contents; `documents` of `size_bytes` were deleted, for their tenants;
    `contents` were removed from the store; `uploads` had broken off.
    """

    validations: int = 0
    documents: int = 0
    size_bytes: int = 0
    contents: int = 0
    uploads: int = 0

    def __add__(self, other: Purged) -> Purged:
        return Purged(
            validations=self.validations + other.validations,
            documents=self.documents + other.documents,
            size_bytes=self.size_bytes + other.size_bytes,
            contents=self.contents + other.contents,
            uploads=self.uploads + other.uploads,
        )


class Expiry(Protocol):
    """Finds and deletes, in the database, what is due. All raise `StoreUnavailable`.

    Where methods take a `limit`, they do so much in one transaction, and return how much they
    looked at, less than it being the end. What they return beside that is what became of it, of
    `tenant` alone where one is given.
    """

    async def erase_validations(
        self, cutoffs: Cutoffs, *, actor: str, limit: int, tenant: str | None = None
    ) -> tuple[int, Purged]:
        """Erase contents of validations that are due, and delete documents that none needs now."""

    async def expire_documents(
        self, *, actor: str, limit: int, tenant: str | None = None
    ) -> tuple[int, Purged]:
        """Look at documents whose own time is over, and delete those that nothing needs."""

    async def remove_contents(
        self,
        remove: Callable[[str], Awaitable[None]],
        *,
        grace_seconds: float,
        limit: int,
        tenant: str | None = None,
    ) -> tuple[int, int]:
        """Remove contents that nothing has referred to for so long, by their digests."""

    async def mark_unknown(self, digests: Sequence[str]) -> None:
        """Mark those contents to be removed that no document is."""

    async def release_unneeded(self) -> None:
        """Let documents expire that go with the last validation and have none."""

    async def record(self, caller: Caller, done: Purged) -> None:
        """Write into the audit log that somebody had it purged."""

    async def due(self, cutoffs: Cutoffs, *, grace_seconds: float, tenant: str) -> Purged:
        """What a purge would do to a tenant's; contents and uploads are those marked by now."""


class Purger:
    """Purges when told to, and by itself every `interval_seconds`."""

    def __init__(
        self,
        *,
        expiry: Expiry,
        blobs: Blobs,
        partials: Partials,
        retention: Retention,
        grace_seconds: float,
        partial_seconds: float,
        interval_seconds: float,
    ) -> None:
        self._expiry = expiry
        self._blobs = blobs
        self._partials = partials
        self._retention = retention
        self._grace_seconds = grace_seconds
        self._partial_seconds = partial_seconds
        self._interval_seconds = interval_seconds

    async def due(self, tenant: str) -> Purged:
        """What `purge` would do to a tenant's now."""
        return await self._expiry.due(
            self._cutoffs(), grace_seconds=self._grace_seconds, tenant=tenant
        )

    async def purge(self, caller: Caller | None = None, *, sweep: bool = True) -> Purged:
        """Remove what is due, of all tenants, and tell what became of the caller's.

        `caller` is who asked, None the server itself, which is told of all. `sweep` looks through
        the whole store too, for contents that no row came to refer to; the next purge removes them.
        Raises `StoreUnavailable`; what was done until then is done.
        """
        done = Purged()
        try:
            async with aclosing(self._steps(caller)) as steps:
                async for some in steps:
                    done += some
            if sweep:
                await self._sweep()
        finally:
            if caller:
                await self._expiry.record(caller, done)
        return done

    async def run(self) -> None:
        """Purge again and again, until cancelled."""
        clock = asyncio.get_running_loop().time
        next_sweep = clock()
        while True:
            await asyncio.sleep(self._interval_seconds)
            sweep = clock() >= next_sweep
            try:
                done = await self.purge(sweep=sweep)
            except StoreUnavailable:
                log.warning("purge put off", exc_info=True)
                continue
            except Exception:
                log.exception("purge failed")
                continue
            if sweep:
                next_sweep = clock() + SWEEP_SECONDS
            if done != Purged():
                log.info("purged", extra={"documents": done.documents, "contents": done.contents})

    def _cutoffs(self) -> Cutoffs:
        return self._retention.cutoffs(datetime.datetime.now(datetime.UTC))

    async def _steps(self, caller: Caller | None) -> AsyncGenerator[Purged, None]:
        """Purge, and tell after each transaction what it did."""
        actor, tenant = (caller.client, caller.tenant) if caller else (SERVER, None)
        cutoffs, looked_at = self._cutoffs(), BATCH
        while looked_at == BATCH:
            looked_at, some = await self._expiry.erase_validations(
                cutoffs, actor=actor, limit=BATCH, tenant=tenant
            )
            yield some
        looked_at = BATCH
        while looked_at == BATCH:
            looked_at, some = await self._expiry.expire_documents(
                actor=actor, limit=BATCH, tenant=tenant
            )
            yield some
        uploads = await self._partials.purge(
            older_than_seconds=self._partial_seconds, tenant=tenant
        )
        yield Purged(uploads=uploads)
        looked_at = REMOVED_AT_A_TIME
        while looked_at == REMOVED_AT_A_TIME:
            looked_at, removed = await self._expiry.remove_contents(
                self._blobs.delete,
                grace_seconds=self._grace_seconds,
                limit=REMOVED_AT_A_TIME,
                tenant=tenant,
            )
            yield Purged(contents=removed)

    async def _sweep(self) -> None:
        await self._expiry.release_unneeded()
        some: list[str] = []
        async for digest in self._blobs.digests(older_than_seconds=SWEEP_SECONDS):
            some.append(digest)
            if len(some) == SWEPT_AT_A_TIME:
                await self._expiry.mark_unknown(some)
                some = []
        if some:
            await self._expiry.mark_unknown(some)
