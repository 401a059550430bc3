"""The calls of operators that are about jobs."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from absah.admin.v1 import admin_service_pb2 as pb2


class JobCalls:
    """What an `AdminClient` asks of the jobs of its tenant, named as "jobs/4711".

    States are those of the enum, in bare words: "WAITING", "RUNNING", "SUCCEEDED", "FAILED",
    "CANCELLED".
    """

    _stub: Any
    _call: Callable[..., Any]

    def jobs(
        self, *, state: str = "", policy: str = "", validation: str = "", limit: int = 100
    ) -> Iterator[pb2.Job]:
        """The newest jobs, at most `limit`; raises ValueError for a state that there is not."""
        wanted = pb2.JobFilter(
            state=_state(state) if state else None,
            policy=policy,
            validation=validation,
        )
        message = pb2.ListJobsRequest(filter=wanted)
        while limit > 0:
            message.page_size = min(limit, 100)
            answer = self._call(self._stub.ListJobs, message)
            yield from answer.jobs
            limit -= len(answer.jobs)
            message.page_token = answer.next_page_token
            if not message.page_token:
                return

    def job(self, name: str) -> pb2.Job:
        """One job with all attempts."""
        found: pb2.Job = self._call(self._stub.GetJob, pb2.GetJobRequest(name=name)).job
        return found

    def retry_job(self, name: str) -> pb2.Job:
        """Try again what failed, or at once what waits to be tried again."""
        found: pb2.Job = self._call(self._stub.RetryJob, pb2.RetryJobRequest(name=name)).job
        return found

    def cancel_job(self, name: str) -> pb2.Job:
        """Cancel a job and its validation."""
        found: pb2.Job = self._call(self._stub.CancelJob, pb2.CancelJobRequest(name=name)).job
        return found

    def purge_jobs(self, *, older_than_seconds: float = 0.0, states: Sequence[str] = ()) -> int:
        """Remove jobs that ended, SUCCEEDED and CANCELLED ones unless `states` says otherwise."""
        message = pb2.PurgeJobsRequest(states=[_state(state) for state in states])
        message.older_than.FromTimedelta(datetime.timedelta(seconds=older_than_seconds))
        purged: int = self._call(self._stub.PurgeJobs, message).purged_jobs
        return purged


def _state(word: str) -> str:
    return f"JOB_STATE_{word}"
