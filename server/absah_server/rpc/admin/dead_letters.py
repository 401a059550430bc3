"""The methods of AdminService that are about dead letters."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import grpc
from google.protobuf import json_format

from absah.admin.v1 import admin_service_pb2 as pb2
from absah_server.core.dead_letters import (
    MAX_NOTES,
    DeadLetter,
    DeadLetterFilter,
    DeadLetterGroup,
    DeadLetters,
    MessageAttempt,
    MessageOutcome,
)
from absah_server.core.errors import NothingKept, RequestInvalid
from absah_server.rpc import callers, errors, keysets, scalars

Context = grpc.aio.ServicerContext[Any, Any]
NAME = re.compile(r"deadLetters/([1-9][0-9]{0,17})")
LENGTHS = {
    "note_id": (1, 64),
    "system": (1, 64),
    "message_key": (1, 255),
    "queue": (0, 255),
    "cause": (0, 64),
    "field": (0, 255),
    "position": (0, 255),
    "problem": (0, 1000),
}
"""Characters that each field has at least and at most."""


class DeadLetterMethods:
    """Asks `dead_letters`, which is None where the server keeps nothing."""

    dead_letters: DeadLetters | None

    async def RecordMessageAttempts(  # noqa: N802
        self, request: pb2.RecordMessageAttemptsRequest, context: Context
    ) -> pb2.RecordMessageAttemptsResponse:
        return await errors.answer(context, self._record_attempts(request, context))

    async def ListDeadLetterGroups(  # noqa: N802
        self, request: pb2.ListDeadLetterGroupsRequest, context: Context
    ) -> pb2.ListDeadLetterGroupsResponse:
        return await errors.answer(context, self._list_groups(request, context))

    async def ListDeadLetters(  # noqa: N802
        self, request: pb2.ListDeadLettersRequest, context: Context
    ) -> pb2.ListDeadLettersResponse:
        return await errors.answer(context, self._list_dead_letters(request, context))

    async def GetDeadLetter(  # noqa: N802
        self, request: pb2.GetDeadLetterRequest, context: Context
    ) -> pb2.GetDeadLetterResponse:
        return await errors.answer(context, self._get_dead_letter(request, context))

    async def _record_attempts(
        self, request: pb2.RecordMessageAttemptsRequest, context: Context
    ) -> pb2.RecordMessageAttemptsResponse:
        if len(request.attempts) > MAX_NOTES:
            raise RequestInvalid(("attempts", f"must be at most {MAX_NOTES}"))
        problems = [
            problem for n, pb in enumerate(request.attempts) for problem in _problems(n, pb)
        ]
        if problems:
            raise RequestInvalid(*problems)
        attempts = [_attempt(n, pb) for n, pb in enumerate(request.attempts)]
        await self._kept().note(callers.caller_of(context), attempts)
        return pb2.RecordMessageAttemptsResponse()

    async def _list_groups(
        self, request: pb2.ListDeadLetterGroupsRequest, context: Context
    ) -> pb2.ListDeadLetterGroupsResponse:
        tenant, method = callers.caller_of(context).tenant, "ListDeadLetterGroups"
        query = [tenant, request.system]
        offset = 0
        if request.page_token:
            offset = keysets.last_of(method, query, request.page_token, parse=scalars.number)
        scalars.verify_texts({"system": request.system})
        size = keysets.size(request.page_size)
        found = await self._kept().groups(tenant, request.system, offset=offset, limit=size + 1)
        response = pb2.ListDeadLetterGroupsResponse(groups=[_group(each) for each in found[:size]])
        if len(found) > size:
            response.next_page_token = keysets.token(method, query, str(offset + size))
        return response

    async def _list_dead_letters(
        self, request: pb2.ListDeadLettersRequest, context: Context
    ) -> pb2.ListDeadLettersResponse:
        tenant, method = callers.caller_of(context).tenant, "ListDeadLetters"
        query = [tenant, json_format.MessageToDict(request.filter)]
        before = None
        if request.page_token:
            before = keysets.last_of(method, query, request.page_token, parse=scalars.number)
        size = keysets.size(request.page_size)
        scalars.verify_texts(
            {
                "filter.system": request.filter.system,
                "filter.cause": request.filter.cause,
                "filter.field": request.filter.field,
            }
        )
        wanted = DeadLetterFilter(
            system=request.filter.system,
            cause=request.filter.cause,
            field=request.filter.field,
            state=_state(request.filter.state),
        )
        found = await self._kept().listed(tenant, wanted, before=before, limit=size + 1)
        response = pb2.ListDeadLettersResponse(dead_letters=[_shown(each) for each in found[:size]])
        if len(found) > size:
            response.next_page_token = keysets.token(method, query, str(found[size - 1].id))
        return response

    async def _get_dead_letter(
        self, request: pb2.GetDeadLetterRequest, context: Context
    ) -> pb2.GetDeadLetterResponse:
        match = NAME.fullmatch(request.name)
        if match is None:
            raise RequestInvalid(("name", 'is no name such as "deadLetters/4711"'))
        found = await self._kept().get(callers.caller_of(context).tenant, int(match[1]))
        return pb2.GetDeadLetterResponse(dead_letter=_shown(found))

    def _kept(self) -> DeadLetters:
        if self.dead_letters is None:
            raise NothingKept
        return self.dead_letters


def _problems(number: int, pb: pb2.MessageAttempt) -> Iterator[tuple[str, str]]:
    for field, (least, most) in LENGTHS.items():
        text = getattr(pb, field)
        if not least <= len(text) <= most or "\0" in text:
            problem = f"must have {least} to {most} characters, and no zero"
            yield f"attempts[{number}].{field}", problem
    if pb.outcome not in pb2.MessageOutcome.values() or not pb.outcome:
        yield f"attempts[{number}].outcome", "must be one of the outcomes"
    if pb.attempt < 1:
        yield f"attempts[{number}].attempt", "must be 1 or more"


def _attempt(number: int, pb: pb2.MessageAttempt) -> MessageAttempt:
    return MessageAttempt(
        **{field: getattr(pb, field) for field in LENGTHS},
        attempt=pb.attempt,
        outcome=_state(pb.outcome),
        event_time=scalars.time_from_proto(pb.event_time, f"attempts[{number}].event_time"),
    )


def _state(number: int) -> MessageOutcome:
    if not number:
        return MessageOutcome.PARKED
    try:
        return MessageOutcome(pb2.MessageOutcome.Name(number).removeprefix("MESSAGE_OUTCOME_"))
    except ValueError as exc:
        raise RequestInvalid(("filter.state", f"is {number}, which is no outcome")) from exc


def _outcome(value: MessageOutcome) -> Any:
    return f"MESSAGE_OUTCOME_{value.value}"


def _shown(value: DeadLetter) -> pb2.DeadLetter:
    return pb2.DeadLetter(
        name=f"deadLetters/{value.id}",
        system=value.system,
        message_key=value.message_key,
        queue=value.queue,
        state=_outcome(value.state),
        cause=value.cause,
        field=value.field,
        position=value.position,
        problem=value.problem,
        attempt_count=value.attempt_count,
        create_time=value.create_time,
        update_time=value.update_time,
        attempts=[
            pb2.MessageAttempt(
                **{field: getattr(attempt, field) for field in LENGTHS},
                attempt=attempt.attempt,
                outcome=_outcome(attempt.outcome),
                event_time=attempt.event_time,
            )
            for attempt in value.attempts
        ],
    )


def _group(value: DeadLetterGroup) -> pb2.DeadLetterGroup:
    return pb2.DeadLetterGroup(
        system=value.system,
        cause=value.cause,
        field=value.field,
        dead_letter_count=value.dead_letter_count,
        oldest_time=value.oldest_time,
        newest_time=value.newest_time,
    )
