"""ValidationService over the core's validator."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import grpc

from absah.v1 import validation_service_pb2 as pb2
from absah.v1 import validation_service_pb2_grpc
from absah_server.core.acceptance import Acceptance
from absah_server.core.callers import Caller
from absah_server.core.errors import Overloaded, RequestInvalid, ShuttingDown
from absah_server.core.listing import History
from absah_server.core.replaying import Replayer
from absah_server.core.submission import Submission
from absah_server.core.validation import Validation
from absah_server.core.validator import Validator
from absah_server.core.watching import Watcher
from absah_server.rpc import callers, conversion, errors
from absah_server.rpc.kept_validations import KeptMethods
from absah_server.rpc.replays import ReplayMethods
from absah_server.rpc.watching import WatchMethods

Context = grpc.aio.ServicerContext[Any, Any]

MAX_HELD_BACK_BYTES = 128 * 2**20
"""Requests of all streams that wait out an overload; more are refused, as those of calls are."""


class ValidationServicer(
    KeptMethods,
    WatchMethods,
    ReplayMethods,
    validation_service_pb2_grpc.ValidationServiceServicer,
):
    """Validates, one request a call or many on a stream, and tells of what is kept.

    `acceptance`, `history`, `watcher` and `replayer` are None where the server keeps nothing.
    """

    def __init__(
        self,
        validator: Validator,
        *,
        default_deadline_seconds: float,
        max_deadline_seconds: float,
        stream_window: int,
        acceptance: Acceptance | None = None,
        history: History | None = None,
        watcher: Watcher | None = None,
        replayer: Replayer | None = None,
    ) -> None:
        self._validator = validator
        self.acceptance = acceptance
        self.history = history
        self.watcher = watcher
        self.replayer = replayer
        self._default_deadline_seconds = default_deadline_seconds
        self._max_deadline_seconds = max_deadline_seconds
        self._stream_window = stream_window
        self._closing = asyncio.Event()
        self._held_back_bytes = 0

    async def Validate(  # noqa: N802
        self, request: pb2.ValidateRequest, context: Context
    ) -> pb2.ValidateResponse:
        work = self._validate(request, context, self.deadline(context))
        del request  # it holds all documents once more; `work` lets go of it when it has read it
        return await errors.answer(context, work)

    async def ValidateStream(  # noqa: N802
        self, request_iterator: AsyncIterator[pb2.ValidateStreamRequest], context: Context
    ) -> AsyncIterator[pb2.ValidateStreamResponse]:
        stream = _Stream(self, request_iterator, context)
        async for response in stream.responses():
            yield response
        await errors.answer(context, stream.end())

    def close(self) -> None:
        """Read no more requests from streams; what was read is still answered."""
        self._closing.set()

    def deadline(self, context: Context) -> float:
        left = context.time_remaining()
        seconds = self._default_deadline_seconds if left is None else left
        return asyncio.get_running_loop().time() + min(seconds, self._max_deadline_seconds)

    async def _validate(
        self, request: pb2.ValidateRequest, context: Context, deadline: float
    ) -> pb2.ValidateResponse:
        caller = callers.caller_of(context)
        submission = conversion.submission_from_proto(request)
        return_artifacts = request.return_artifacts
        del request
        validation = await self._made(caller, submission, deadline)
        del submission  # what runs already, for workers, is waited for without its documents
        validation = await self._once_ended(caller, validation, deadline)
        response = pb2.ValidateResponse()
        conversion.fill_validation(
            response.validation, validation, return_artifacts=return_artifacts
        )
        return response

    @contextmanager
    def _held_back(self, size_bytes: int) -> Iterator[bool]:
        """Hold a request back within the block; tells whether there is room to do so."""
        self._held_back_bytes += size_bytes
        try:
            yield self._held_back_bytes <= MAX_HELD_BACK_BYTES
        finally:
            self._held_back_bytes -= size_bytes

    async def _made(self, caller: Caller, asked: Submission, deadline: float) -> Validation:
        if self.acceptance:
            return await self.acceptance.validate(caller, asked, deadline=deadline)
        return await self._validator.validate(asked, deadline=deadline)


class _Stream:
    """One stream under way: it reads as many requests as there is room for."""

    def __init__(
        self,
        servicer: ValidationServicer,
        requests: AsyncIterator[pb2.ValidateStreamRequest],
        context: Context,
    ) -> None:
        self._servicer = servicer
        self._requests = requests
        self._context = context
        self._room = asyncio.Semaphore(servicer._stream_window)
        self._answers: asyncio.Queue[pb2.ValidateStreamResponse | None] = asyncio.Queue()
        self._ids: set[str] = set()
        self._unreadable: RequestInvalid | None = None

    async def responses(self) -> AsyncIterator[pb2.ValidateStreamResponse]:
        """Answers as they come; leaving this early cancels all that is under way."""
        reading = asyncio.create_task(self._read_all())
        try:
            while (answer := await self._answers.get()) is not None:
                yield answer
                self._room.release()
            await reading
        finally:
            reading.cancel()

    async def end(self) -> None:
        """Raises why the stream ended early: `RequestInvalid` or `ShuttingDown`."""
        if self._unreadable:
            raise self._unreadable
        if self._servicer._closing.is_set():
            raise ShuttingDown

    async def _read_all(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                while (request := await self._next()) is not None:
                    group.create_task(self._answer(request))
                    del request
        finally:
            self._answers.put_nowait(None)

    async def _next(self) -> pb2.ValidateRequest | None:
        """The next request, None at the end of the stream or when the server closes."""
        closing = asyncio.ensure_future(self._servicer._closing.wait())
        reading = asyncio.ensure_future(self._read())
        try:
            await asyncio.wait((closing, reading), return_when=asyncio.FIRST_COMPLETED)
            return await reading if reading.done() else None
        finally:
            closing.cancel()
            reading.cancel()

    async def _read(self) -> pb2.ValidateRequest | None:
        await self._room.acquire()
        await self._servicer._validator.admission.room()
        try:
            async for message in self._requests:
                return message.request
        except RequestInvalid as exc:
            self._unreadable = exc
        return None

    async def _answer(self, request: pb2.ValidateRequest) -> None:
        answer = pb2.ValidateStreamResponse(request_id=request.request_id)
        try:
            self._claim_id(request.request_id)
            response = await self._until_admitted(request)
            answer.validation.CopyFrom(response.validation)
        except Exception as exc:
            answer.error.CopyFrom(errors.status_of(exc))
        self._answers.put_nowait(answer)

    def _claim_id(self, request_id: str) -> None:
        if not request_id or request_id in self._ids:
            raise RequestInvalid(("request.request_id", "must be set and unique in the stream"))
        self._ids.add(request_id)

    async def _until_admitted(self, request: pb2.ValidateRequest) -> pb2.ValidateResponse:
        """Wait out an overload: on a stream, not reading on is what slows the sender down."""
        deadline = self._servicer.deadline(self._context)
        while True:
            try:
                return await self._servicer._validate(request, self._context, deadline)
            except Overloaded as exc:
                left = deadline - asyncio.get_running_loop().time()
                if left < exc.retry_after_seconds:
                    raise
                with self._servicer._held_back(request.ByteSize()) as may_wait:
                    if not may_wait:
                        raise
                    await asyncio.sleep(exc.retry_after_seconds)
