"""The method of ValidationService that watches a validation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import grpc

from absah.v1 import validation_service_pb2 as pb2
from absah_server.core.errors import NothingKept, ShuttingDown
from absah_server.core.validation import CheckResult, Validation
from absah_server.core.watching import Watcher
from absah_server.rpc import callers, conversion, errors
from absah_server.rpc.kept_validations import id_of

Context = grpc.aio.ServicerContext[Any, Any]
Event = Validation | CheckResult


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
        closing = asyncio.ensure_future(self._closing.wait())
        coming = asyncio.ensure_future(anext(events, None))
        try:
            await asyncio.wait((closing, coming), return_when=asyncio.FIRST_COMPLETED)
            if not coming.done():
                raise ShuttingDown
            return coming.result()
        finally:
            closing.cancel()
            coming.cancel()
            # The events cannot be closed while they are being waited for.
            await asyncio.gather(coming, return_exceptions=True)


def _response(event: Event) -> pb2.WatchValidationResponse:
    response = pb2.WatchValidationResponse()
    if isinstance(event, Validation):
        conversion.fill_validation(response.validation, event, return_artifacts=False)
    else:
        response.check_result.CopyFrom(conversion.check_result_to_proto(event))
    return response
