"""The method of ValidationService that watches a validation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import aclosing
from typing import Any, TypeVar

import grpc

from absah.v1 import validation_service_pb2 as pb2
from absah_server.core import validator
from absah_server.core.callers import Caller
from absah_server.core.errors import NothingKept, ShuttingDown
from absah_server.core.validation import CheckResult, Validation
from absah_server.core.watching import Watcher
from absah_server.rpc import callers, conversion, errors
from absah_server.rpc.kept_validations import id_of

Context = grpc.aio.ServicerContext[Any, Any]
Event = Validation | CheckResult
T = TypeVar("T")


class WatchMethods:
    """Asks `watcher`, which is None where the server keeps nothing."""

    watcher: Watcher | None
    _closing: asyncio.Event

    async def WatchValidation(  # noqa: N802
        self, request: pb2.WatchValidationRequest, context: Context
    ) -> AsyncIterator[pb2.WatchValidationResponse]:
        events = await errors.answer(context, self._events(request, context))
        async with aclosing(events):
            while (event := await errors.answer(context, self._next_event(events))) is not None:
                yield _response(event)

    async def _events(self, request: pb2.WatchValidationRequest, context: Context) -> Any:
        if self.watcher is None:
            raise NothingKept
        tenant = callers.caller_of(context).tenant
        return self.watcher.events(tenant, id_of(request.name))

    async def _next_event(self, events: AsyncIterator[Event]) -> Event | None:
        """The next one, None at the end; raises `ShuttingDown` when the server closes."""
        return await self._unless_closing(anext(events, None))

    async def _once_ended(
        self, caller: Caller, validation: Validation, deadline: float
    ) -> Validation:
        """A caller's validation once it has ended, or as it stands shortly before `deadline`.

        Raises `ShuttingDown` when the server closes: another one can go on waiting.
        """
        if validation.state.ended or self.watcher is None:
            return validation
        ended = self.watcher.ended(
            caller.tenant, validation, deadline=validator.shortly_before(deadline)
        )
        return await self._unless_closing(ended)

    async def _unless_closing(self, work: Awaitable[T]) -> T:
        """What comes of `work`; raises `ShuttingDown` when the server closes."""
        closing = asyncio.ensure_future(self._closing.wait())
        coming = asyncio.ensure_future(work)
        try:
            await asyncio.wait((closing, coming), return_when=asyncio.FIRST_COMPLETED)
            if not coming.done():
                raise ShuttingDown
            return coming.result()
        finally:
            closing.cancel()
            coming.cancel()
            # Events cannot be closed while they are being waited for.
            await asyncio.gather(coming, return_exceptions=True)


def _response(event: Event) -> pb2.WatchValidationResponse:
    response = pb2.WatchValidationResponse()
    if isinstance(event, Validation):
        conversion.fill_validation(response.validation, event, return_artifacts=False)
    else:
        response.check_result.CopyFrom(conversion.check_result_to_proto(event))
    return response
