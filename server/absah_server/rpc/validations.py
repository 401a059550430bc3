"""ValidationService over the core's validator."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc

from absah.v1 import validation_service_pb2 as pb2
from absah.v1 import validation_service_pb2_grpc
from absah_server.core.errors import Overloaded, RequestInvalid, ShuttingDown
from absah_server.core.validator import Validator
from absah_server.rpc import conversion, errors

Context = grpc.aio.ServicerContext[Any, Any]


class ValidationServicer(validation_service_pb2_grpc.ValidationServiceServicer):
    """Validates, one request a call or many on a stream."""

    def __init__(
        self,
        validator: Validator,
        *,
        default_deadline_seconds: float,
        max_deadline_seconds: float,
        stream_window: int,
    ) -> None:
        self._validator = validator
        self._default_deadline_seconds = default_deadline_seconds
        self._max_deadline_seconds = max_deadline_seconds
        self._stream_window = stream_window
        self._closing = asyncio.Event()

    async def Validate(  # noqa: N802
        self, request: pb2.ValidateRequest, context: Context
    ) -> pb2.ValidateResponse:
        deadline = self._deadline(context)
        return await errors.answer(context, self._validate(request, deadline))

    async def ValidateStream(  # noqa: N802
        self, request_iterator: AsyncIterator[pb2.ValidateStreamRequest], context: Context
    ) -> AsyncIterator[pb2.ValidateStreamResponse]:
        stream = _Stream(self, request_iterator, context)
        async for response in stream.responses():
            yield response
        if self._closing.is_set():
            await errors.answer(context, _refuse())

    def close(self) -> None:
        """Read no more requests from streams; what was read is still answered."""
        self._closing.set()

    def _deadline(self, context: Context) -> float:
        left = context.time_remaining()
        seconds = self._default_deadline_seconds if left is None else left
        return asyncio.get_running_loop().time() + min(seconds, self._max_deadline_seconds)

    async def _validate(
        self, request: pb2.ValidateRequest, deadline: float
    ) -> pb2.ValidateResponse:
        submission = conversion.submission_from_proto(request)
        validation = await self._validator.validate(submission, deadline=deadline)
        response = pb2.ValidateResponse()
        conversion.fill_validation(
            response.validation, validation, return_artifacts=request.return_artifacts
        )
        return response


async def _refuse() -> None:
    raise ShuttingDown


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

    async def _read_all(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                while (request := await self._next()) is not None:
                    group.create_task(self._answer(request))
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
        async for message in self._requests:
            return message.request
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
        deadline = self._servicer._deadline(self._context)
        while True:
            try:
                return await self._servicer._validate(request, deadline)
            except Overloaded as exc:
                left = deadline - asyncio.get_running_loop().time()
                if left < exc.retry_after_seconds:
                    raise
                await asyncio.sleep(exc.retry_after_seconds)
