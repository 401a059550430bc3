"""The queue of jobs: procrastinate's tables and worker, over our connections.

procrastinate's own job manager gives way to one that begins an attempt with every job that it
fetches, takes as many jobs at a time as there is room for, and outlives an outage of PostgreSQL:
while that lasts there are no jobs, and the worker goes on with what it has.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import procrastinate.connector
import procrastinate.jobs
import procrastinate.manager
import psycopg

from absah_server.core.errors import StoreUnavailable
from absah_server.core.working import Attempt, GivenBack
from absah_server.store import archive, queries
from absah_server.store.attempts import Settled
from absah_server.store.database import Database
from absah_server.store.notifications import Notifications
from absah_server.store.settling import Settling

log = logging.getLogger(__name__)
SQL = queries.load("jobs")
QUEUE = "validations"
TASK = "validate"
CHANNEL = f"procrastinate_queue_v1#{QUEUE}"
"""Where procrastinate tells that a job has come."""
LEAVE_SECONDS = 3.0


class Connector(procrastinate.connector.BaseAsyncConnector):
    """Runs procrastinate's queries on a `Database`; all raise `StoreUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def execute_query_async(self, query: Any, **arguments: Any) -> None:
        """Run a query for its effect."""
        async with self._database.connection() as connection:
            await connection.execute(query, arguments)

    async def execute_query_one_async(self, query: Any, **arguments: Any) -> dict[str, Any]:
        """Run a query that gives one row."""
        return (await self.execute_query_all_async(query, **arguments))[0]

    async def execute_query_all_async(self, query: Any, **arguments: Any) -> list[dict[str, Any]]:
        """Run a query and give all its rows."""
        async with self._database.connection() as connection:
            return await (await connection.execute(query, arguments)).fetchall()


class JobQueue(procrastinate.manager.JobManager):
    """What procrastinate's worker asks for jobs. `room` is how many may be under way.

    `attempts` has, by job, the attempts that were begun and that no task has picked up yet.
    """

    def __init__(
        self,
        database: Database,
        settling: Settling,
        notifications: Notifications,
        *,
        worker: str,
        room: int,
    ) -> None:
        super().__init__(Connector(database))
        self._database = database
        self._settling = settling
        self._notifications = notifications
        self._worker = worker
        self._room = room
        self._fetching = asyncio.Lock()
        self._under_way: Counter[int] = Counter()
        self._fetched: deque[procrastinate.jobs.Job] = deque()
        self.attempts: dict[int, Attempt] = {}
        self.worker_id: int | None = None

    async def fetch_job(
        self, queues: Iterable[str] | None, worker_id: int
    ) -> procrastinate.jobs.Job | None:
        """The next job, with its attempt begun; None if there is none, or no database."""
        if not self._fetched:
            await self._fetch(worker_id)
        return self._fetched.popleft() if self._fetched else None

    async def finish_job(
        self, job: procrastinate.jobs.Job, status: procrastinate.jobs.Status, delete_job: bool
    ) -> None:
        """Note that the worker is through with a job: the task itself has settled it."""
        assert job.id is not None
        self._done_with(job.id)

    async def update_heartbeat(self, worker_id: int) -> None:
        """Say that a worker is alive, as well as that can be said now."""
        try:
            async with self._database.connection() as connection:
                await connection.execute(SQL["beat"], {"worker_id": worker_id})
        except StoreUnavailable:
            log.debug("heartbeat missed", extra={"worker": self._worker})

    async def prune_stalled_workers(self, seconds_since_heartbeat: float) -> list[int]:
        """Leave stalled workers to `take_over`, which looks after their jobs first."""
        return []

    async def register_worker(self) -> int:
        """A new worker's id; raises `StoreUnavailable`."""
        self.worker_id = await super().register_worker()
        return self.worker_id

    async def unregister_worker(self, worker_id: int) -> None:
        """Give back what was fetched and not begun, and forget the worker.

        What fails of it is made good by those who miss its heartbeat.
        """
        try:
            async with asyncio.timeout(LEAVE_SECONDS):
                await self._give_back(worker_id)
                await super().unregister_worker(worker_id)
        except (StoreUnavailable, TimeoutError):
            log.info("worker left without a word", extra={"worker": self._worker})

    async def listen_for_jobs(
        self,
        *,
        on_notification: procrastinate.manager.NotificationCallback,
        queues: Iterable[str] | None = None,
    ) -> None:
        """Wake the worker when a job has come, or may have come while nobody could hear it."""
        come = asyncio.Event()
        with self._notifications.hearing(CHANNEL, lambda payload: come.set()):
            while True:
                await come.wait()
                come.clear()
                await on_notification(
                    channel=CHANNEL, notification={"type": "job_inserted", "job_id": 0}
                )

    async def list_jobs_to_abort_async(self, queue: str | None = None) -> Iterable[int]:
        """None: a validation is cancelled by its own state, not by its job's."""
        return ()

    async def reclaim(self) -> None:
        """Let jobs wait once more that were given to this worker in an answer that got lost."""
        async with self._fetching, self._database.connection() as connection:
            await connection.execute(
                SQL["reclaim"],
                {"worker_id": self.worker_id, "queue": QUEUE, "under_way": [*self._under_way]},
            )

    async def _give_back(self, worker_id: int) -> None:
        while self._fetched:
            job_id = self._fetched.popleft().id
            assert job_id is not None
            await self._settling.settle(
                Settled(
                    worker_id=worker_id,
                    job_id=job_id,
                    attempt=self.attempts.pop(job_id, None),
                    settlement=GivenBack(),
                )
            )
            self._done_with(job_id)

    def _done_with(self, job_id: int) -> None:
        """After an outage a job may be under way here twice: as it was, and as it came again."""
        self._under_way[job_id] -= 1
        self._under_way += Counter()  # keeps what is above zero

    async def _fetch(self, worker_id: int) -> None:
        parameters = {
            "queue": QUEUE,
            "worker_id": worker_id,
            "worker": self._worker,
            "count": max(1, self._room - self._under_way.total()),
        }
        try:
            async with self._fetching:
                self._receive(await self._rows(parameters))
        except StoreUnavailable:
            return
        except psycopg.errors.ForeignKeyViolation:
            # Others held this worker for dead, and have forgotten it.
            await self.update_heartbeat(worker_id)
        except (psycopg.errors.UniqueViolation, psycopg.errors.DeadlockDetected) as exc:
            # Another worker took a job of the same lock at the same moment.
            log.debug("fetching once more", extra={"problem": type(exc).__name__})

    def _receive(self, rows: Sequence[Mapping[str, Any]]) -> None:
        for row in rows:
            self._under_way[row["id"]] += 1
            if row["attempt"] is not None:
                self.attempts[row["id"]] = _attempt(row)
            self._fetched.append(procrastinate.jobs.Job.from_row(dict(row)))

    async def _rows(self, parameters: Mapping[str, Any]) -> Sequence[dict[str, Any]]:
        async with self._database.connection() as connection:
            return await (await connection.execute(SQL["fetch"], parameters)).fetchall()


def _attempt(row: Mapping[str, Any]) -> Attempt:
    try:
        request = archive.request.read(row["request"])
    except ValueError:
        log.exception("request unreadable", extra={"validation": row["validation_id"].hex})
        request = None
    validation_id: uuid.UUID = row["validation_id"]
    return Attempt(
        validation_id=validation_id,
        tenant=row["tenant"],
        number=row["attempt"],
        broken=row["broken"],
        job_id=row["id"],
        request_id=row["request_id"],
        request=request,
        record=archive.record.read(row["record"]),
        create_time=row["create_time"],
        trace=row["args"].get("trace") or {},
    )
