"""Run workers: fetch jobs, work at them, settle them, and look after the jobs of the dead."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import uuid
from dataclasses import dataclass
from typing import Any

import procrastinate

from absah_server.core.errors import StoreUnavailable
from absah_server.core.slots import PolicySlots
from absah_server.core.working import (
    Again,
    Attempt,
    Concluded,
    Dropped,
    GivenBack,
    Settlement,
    Worker,
)
from absah_server.store import attempts, validations
from absah_server.store.attempts import Settled
from absah_server.store.database import Database
from absah_server.store.jobs import LEAVE_SECONDS, QUEUE, TASK, JobQueue
from absah_server.store.notifications import Notifications
from absah_server.store.progress import ProgressWriter
from absah_server.store.settling import Settling, Unwritable
from absah_server.store.sweeping import Sweeper

log = logging.getLogger(__name__)
RESTART_SECONDS = 1.0
NEVER_SECONDS = 1e6


@dataclass(frozen=True, kw_only=True, slots=True)
class Timing:
    """How workers keep time.

    A worker that is not heard of for `stalled_after_seconds` is held for dead, and others take its
    jobs. New jobs are looked for every `poll_seconds` even if nobody tells of one. Ended jobs are
    kept for `keep_ended_seconds`.
    """

    stalled_after_seconds: float
    poll_seconds: float
    keep_ended_seconds: float

    @property
    def beat_seconds(self) -> float:
        """How often a worker says that it is alive, and looks after the others."""
        return self.stalled_after_seconds / 5


@dataclass(eq=False, kw_only=True, slots=True)
class _UnderWay:
    """An attempt that is being worked at; `dropped` once it is overtaken or cancelled."""

    attempt: Attempt
    work: asyncio.Task[Concluded | Again]
    dropped: bool = False


class Workers:
    """Works at up to `concurrency` validations at a time, from `start` to `stop`."""

    def __init__(
        self,
        database: Database,
        notifications: Notifications,
        worker: Worker,
        *,
        concurrency: int,
        timing: Timing,
        slots: PolicySlots,
    ) -> None:
        self._database = database
        self._notifications = notifications
        self._worker = worker
        self._concurrency = concurrency
        self._timing = timing
        self._settling = Settling(database)
        self._progress = ProgressWriter(database)
        self._sweeper = Sweeper(
            database=database,
            queue=QUEUE,
            slots=slots,
            stalled_after_seconds=timing.stalled_after_seconds,
            keep_ended_seconds=timing.keep_ended_seconds,
        )
        self._queue = JobQueue(
            database,
            self._settling,
            notifications,
            worker=f"{socket.gethostname()}:{os.getpid()}",
            room=concurrency,
        )
        self._under_way: list[_UnderWay] = []
        self._doubtful = asyncio.Event()
        self._working: asyncio.Task[None] | None = None
        self._watching: list[asyncio.Task[None]] = []

    @property
    def running(self) -> int:
        """How many validations are under way."""
        return len(self._under_way)

    def start(self, *, drain_seconds: float) -> None:
        """Begin to fetch jobs; what runs when `stop` is called may take so long to end."""
        # It tells of every job; what happens to validations is in attempts and in the audit log.
        logging.getLogger("procrastinate").setLevel(logging.WARNING)
        self._working = asyncio.create_task(self._work_always(drain_seconds), name="workers")
        self._watching = [
            asyncio.create_task(self._sweep_always(), name="sweeping"),
            asyncio.create_task(self._drop_overtaken(), name="overtaken"),
        ]

    async def stop(self) -> None:
        """Fetch no more, let what runs end in the time that there is, and give back the rest."""
        assert self._working is not None
        self._working.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._working
        for task in self._watching:
            task.cancel()
        await asyncio.gather(*self._watching, return_exceptions=True)
        await self._progress.close()

    async def _work_always(self, drain_seconds: float) -> None:
        app = procrastinate.App(connector=self._queue.connector)
        app.job_manager = self._queue
        app.task(name=TASK, queue=QUEUE, pass_context=True)(self._validate)
        while True:
            try:
                await app.run_worker_async(
                    queues=[QUEUE],
                    concurrency=self._concurrency,
                    fetch_job_polling_interval=self._timing.poll_seconds,
                    abort_job_polling_interval=NEVER_SECONDS,
                    shutdown_graceful_timeout=drain_seconds,
                    update_heartbeat_interval=self._timing.beat_seconds,
                    install_signal_handlers=False,
                )
            except StoreUnavailable:
                log.info("workers wait for the database")
            except Exception:
                log.exception("workers broke off")
            await asyncio.sleep(RESTART_SECONDS)

    async def _validate(self, context: procrastinate.JobContext, /, **arguments: Any) -> None:
        """The task. What it is about came with the attempt, whatever its arguments are."""
        job_id, worker_id = context.job.id, context.job.worker_id
        assert job_id is not None and worker_id is not None
        attempt = self._queue.attempts.pop(job_id, None)
        settlement = await self._attempt(attempt) if attempt else Dropped()
        settled = Settled(
            worker_id=worker_id, job_id=job_id, attempt=attempt, settlement=settlement
        )
        settling = asyncio.create_task(self._settle(settled))
        try:
            async with asyncio.timeout(
                LEAVE_SECONDS if isinstance(settlement, GivenBack) else None
            ):
                await asyncio.shield(settling)
        except asyncio.CancelledError:
            await asyncio.wait((settling,), timeout=LEAVE_SECONDS)
        except TimeoutError:
            log.warning("validation not given back; it is taken over when this worker is missed")
        finally:
            settling.cancel()

    async def _attempt(self, attempt: Attempt) -> Settlement:
        work = asyncio.create_task(
            self._worker.work(
                attempt,
                ended=lambda position, result: self._progress.tell(attempt, position, result),
            )
        )
        under_way = _UnderWay(attempt=attempt, work=work)
        self._under_way.append(under_way)
        try:
            return await work
        except asyncio.CancelledError:
            work.cancel()
            return Dropped() if under_way.dropped else GivenBack()
        finally:
            self._under_way.remove(under_way)
            self._progress.forget(attempt)

    async def _settle(self, settled: Settled) -> None:
        try:
            await self._settling.settle(settled)
        except Unwritable:
            if settled.attempt is None:
                raise
            refused = self._worker.unwritable(settled.attempt)
            await self._settling.settle(
                Settled(
                    worker_id=settled.worker_id,
                    job_id=settled.job_id,
                    attempt=settled.attempt,
                    settlement=refused,
                )
            )

    async def _sweep_always(self) -> None:
        """Look regularly after the jobs of dead workers, and after what this one no longer has."""
        while True:
            await asyncio.sleep(self._timing.beat_seconds)
            self._doubtful.set()
            try:
                await self._sweeper.sweep()
                if self._queue.worker_id is not None:
                    await self._queue.reclaim()
            except StoreUnavailable:
                continue
            except Exception:
                log.exception("sweeping failed")

    async def _drop_overtaken(self) -> None:
        """Cancel the work at validations that were cancelled, or that others took over."""

        def hear(payload: str | None) -> None:
            own = {each.attempt.validation_id.hex for each in self._under_way}
            if payload is None or payload in own:
                self._doubtful.set()

        with self._notifications.hearing(validations.CHANNEL, hear):
            while True:
                await self._doubtful.wait()
                self._doubtful.clear()
                try:
                    await self._drop(list(self._under_way))
                except StoreUnavailable:
                    continue
                except Exception:
                    log.exception("overtaken attempts are not known")

    async def _drop(self, under_way: list[_UnderWay]) -> None:
        if not under_way:
            return
        async with self._database.connection() as connection:
            latest: set[uuid.UUID] = await attempts.latest(
                connection, [each.attempt for each in under_way]
            )
        for each in under_way:
            if each.attempt.validation_id not in latest:
                log.info("attempt overtaken", extra={"validation": each.attempt.name})
                each.dropped = True
                each.work.cancel()
