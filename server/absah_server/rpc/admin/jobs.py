"""The methods of AdminService that are about jobs."""

from __future__ import annotations

import re
from typing import Any

import grpc
from google.protobuf import json_format

from absah.admin.v1 import admin_service_pb2 as pb2
from absah.v1 import validation_service_pb2
from absah_server.core import names
from absah_server.core.errors import JobNotFound, NothingKept, RequestInvalid
from absah_server.core.jobs import AttemptRecord, Job, JobFilter, JobOffice, JobState
from absah_server.core.submission import Priority
from absah_server.rpc import callers, errors, keysets, scalars

Context = grpc.aio.ServicerContext[Any, Any]
LIST = "ListJobs"
NAME = re.compile(r"jobs/([1-9][0-9]{0,17})")
PRIORITIES = {
    Priority.HIGH: validation_service_pb2.PRIORITY_HIGH,
    Priority.NORMAL: validation_service_pb2.PRIORITY_NORMAL,
    Priority.LOW: validation_service_pb2.PRIORITY_LOW,
}
PURGED_BY_DEFAULT = (JobState.SUCCEEDED, JobState.CANCELLED)


class JobMethods:
    """Asks `jobs`, which is None where the server keeps nothing."""

    jobs: JobOffice | None

    async def ListJobs(  # noqa: N802
        self, request: pb2.ListJobsRequest, context: Context
    ) -> pb2.ListJobsResponse:
        return await errors.answer(context, self._list_jobs(request, context))

    async def GetJob(  # noqa: N802
        self, request: pb2.GetJobRequest, context: Context
    ) -> pb2.GetJobResponse:
        return await errors.answer(context, self._get_job(request, context))

    async def RetryJob(  # noqa: N802
        self, request: pb2.RetryJobRequest, context: Context
    ) -> pb2.RetryJobResponse:
        return await errors.answer(context, self._retry_job(request, context))

    async def CancelJob(  # noqa: N802
        self, request: pb2.CancelJobRequest, context: Context
    ) -> pb2.CancelJobResponse:
        return await errors.answer(context, self._cancel_job(request, context))

    async def PurgeJobs(  # noqa: N802
        self, request: pb2.PurgeJobsRequest, context: Context
    ) -> pb2.PurgeJobsResponse:
        return await errors.answer(context, self._purge_jobs(request, context))

    async def _list_jobs(
        self, request: pb2.ListJobsRequest, context: Context
    ) -> pb2.ListJobsResponse:
        tenant = callers.caller_of(context).tenant
        wanted = _filter(request.filter)
        query = [tenant, json_format.MessageToDict(request.filter)]
        before = None
        if request.page_token:
            before = keysets.last_of(LIST, query, request.page_token, parse=scalars.number)
        size = keysets.size(request.page_size)
        # One more than is shown tells whether there is a next page.
        found = await self._jobs().page(tenant, wanted, before=before, limit=size + 1)
        response = pb2.ListJobsResponse(jobs=[_to_proto(job) for job in found[:size]])
        if len(found) > size:
            response.next_page_token = keysets.token(LIST, query, str(found[size - 1].id))
        return response

    async def _get_job(self, request: pb2.GetJobRequest, context: Context) -> pb2.GetJobResponse:
        found = await self._jobs().get(callers.caller_of(context).tenant, _id(request.name))
        return pb2.GetJobResponse(job=_whole(found))

    async def _retry_job(
        self, request: pb2.RetryJobRequest, context: Context
    ) -> pb2.RetryJobResponse:
        found = await self._jobs().retry(callers.caller_of(context), _id(request.name))
        return pb2.RetryJobResponse(job=_whole(found))

    async def _cancel_job(
        self, request: pb2.CancelJobRequest, context: Context
    ) -> pb2.CancelJobResponse:
        found = await self._jobs().cancel(callers.caller_of(context), _id(request.name))
        return pb2.CancelJobResponse(job=_whole(found))

    async def _purge_jobs(
        self, request: pb2.PurgeJobsRequest, context: Context
    ) -> pb2.PurgeJobsResponse:
        states = [_ended_state(number, index) for index, number in enumerate(request.states)]
        seconds = scalars.seconds_from_proto(request.older_than, "older_than")
        purged = await self._jobs().purge(
            callers.caller_of(context), states or PURGED_BY_DEFAULT, older_than_seconds=seconds
        )
        return pb2.PurgeJobsResponse(purged_jobs=purged)

    def _jobs(self) -> JobOffice:
        if self.jobs is None:
            raise NothingKept
        return self.jobs


def _filter(pb: pb2.JobFilter) -> JobFilter:
    scalars.verify_texts({"filter.policy": pb.policy})
    validation_id = None
    if pb.validation:
        validation_id = names.parse_id(pb.validation, collection="validations")
        if validation_id is None:
            raise RequestInvalid(
                ("filter.validation", 'is no name such as "validations/" and 32 hexadecimal digits')
            )
    return JobFilter(
        state=_state(pb.state, "filter.state") if pb.state else None,
        policy=pb.policy,
        validation_id=validation_id,
    )


def _state(number: int, field: str) -> JobState:
    try:
        return JobState(pb2.JobState.Name(number).removeprefix("JOB_STATE_"))
    except ValueError as exc:
        raise RequestInvalid((field, f"is {number}, which is no state")) from exc


def _ended_state(number: int, index: int) -> JobState:
    field = f"states[{index}]"
    state = _state(number, field)
    if not state.ended:
        raise RequestInvalid((field, f"is {state}; only jobs that ended can be purged"))
    return state


def _id(name: str) -> int:
    """The number in a job's name; raises `JobNotFound` for what is no such name."""
    found = NAME.fullmatch(name)
    if found is None:
        raise JobNotFound(name=name)
    return int(found[1])


def _whole(job: Job) -> pb2.Job:
    pb = _to_proto(job)
    pb.attempts.extend(_attempt(attempt) for attempt in job.attempts)
    return pb


def _to_proto(job: Job) -> pb2.Job:
    pb = pb2.Job(
        name=job.name,
        validation=names.validation_name(job.validation_id),
        policy=job.policy,
        state=f"JOB_STATE_{job.state}",
        priority=PRIORITIES[job.priority],
        attempt_count=job.attempt_count,
        last_attempt=_attempt(job.attempts[-1]) if job.attempts else None,
        lock=job.lock,
    )
    pb.create_time.FromDatetime(job.create_time)
    if job.schedule_time:
        pb.schedule_time.FromDatetime(job.schedule_time)
    return pb


def _attempt(attempt: AttemptRecord) -> pb2.Attempt:
    pb = pb2.Attempt(
        number=attempt.number,
        worker=attempt.worker,
        outcome=f"ATTEMPT_OUTCOME_{attempt.outcome}" if attempt.outcome else None,
        error=errors.fault_status(attempt.error) if attempt.error else None,
    )
    pb.start_time.FromDatetime(attempt.start_time)
    if attempt.end_time:
        pb.end_time.FromDatetime(attempt.end_time)
    return pb
