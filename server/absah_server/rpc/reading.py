"""Read requests, a few at a time, and refuse bytes that are no request.

A method that takes one request is served as one that takes a stream of them, which is the same on
the wire. The server then chooses when to read, and gRPC's flow control holds up a sender until it
does: of large requests that come all at once, only a few are in memory before they are admitted.
Neither is anything but the request itself kept until the answer, where grpc.aio would keep its
bytes too.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any

import grpc
from google.protobuf.message import DecodeError

from absah_server.core.errors import RequestInvalid
from absah_server.rpc import errors
from absah_server.telemetry import tracing

Context = grpc.aio.ServicerContext[Any, Any]
Parse = Callable[[bytes], Any]

READ_AT_A_TIME = 4
"""Of each method, so that none holds up another, and none the health."""
STREAMS_AT_A_TIME = 16
"""Where requests come on streams: these wait for their senders between one and the next."""
PATIENCE_SECONDS = 0.25
"""After this long a sender is slow, and no longer holds up others that wait to be read."""


class RequestReader(grpc.aio.ServerInterceptor):
    """Reads the requests of every method whose servicer is async.

    Iterating over a stream of requests raises `RequestInvalid` at one that cannot be parsed; a
    single one is refused before its servicer is called.
    """

    def __init__(self) -> None:
        self._handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}

    async def intercept_service(
        self,
        continuation: Callable[
            [grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Any, Any] | None]
        ],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        method = handler_call_details.method
        if method not in self._handlers:
            found = await continuation(handler_call_details)
            if found is None:
                return None  # no service has it
            self._handlers[method] = self._reading(found)
        return self._handlers[method]

    def _reading(self, handler: grpc.RpcMethodHandler[Any, Any]) -> grpc.RpcMethodHandler[Any, Any]:
        at_a_time = STREAMS_AT_A_TIME if handler.request_streaming else READ_AT_A_TIME
        turns = Turns(at_a_time, patience_seconds=PATIENCE_SECONDS)
        parse = handler.request_deserializer or bytes
        serve = (
            handler.unary_unary
            or handler.unary_stream
            or handler.stream_unary
            or handler.stream_stream
        )
        first = self._all if handler.request_streaming else self._one
        made: Any
        if inspect.iscoroutinefunction(serve):

            async def once(_: object, context: Context) -> Any:
                tracing.carry_on(context.invocation_metadata() or ())
                return await serve(*await first(context, parse, turns), context)

            made = once
        elif inspect.isasyncgenfunction(serve):

            async def many(_: object, context: Context) -> AsyncIterator[Any]:
                tracing.carry_on(context.invocation_metadata() or ())
                async with aclosing(
                    serve(*await first(context, parse, turns), context)
                ) as responses:
                    async for response in responses:
                        yield response

            made = many
        else:
            return handler
        make = (
            grpc.stream_stream_rpc_method_handler
            if handler.response_streaming
            else grpc.stream_unary_rpc_method_handler
        )
        return make(made, None, handler.response_serializer)

    async def _one(self, context: Context, parse: Parse, turns: Turns) -> tuple[Any]:
        """The one request of a call, as a tuple so that no frame of ours keeps hold of it."""
        return (await errors.answer(context, _only(Requests(context, parse, turns))),)

    async def _all(self, context: Context, parse: Parse, turns: Turns) -> tuple[Requests]:
        return (Requests(context, parse, turns),)


class Requests:
    """The requests of one call as they come."""

    def __init__(self, context: Context, parse: Parse, turns: Turns) -> None:
        self._context = context
        self._parse = parse
        self._turns = turns

    def __aiter__(self) -> Requests:
        return self

    async def __anext__(self) -> Any:
        """Raises `RequestInvalid` for bytes that are no message of the method's type."""
        async with self._turns.turn():
            content = await self._context.read()
        if content is grpc.aio.EOF:
            raise StopAsyncIteration
        try:
            return self._parse(content)
        except DecodeError as exc:
            # What protobuf says of it may quote the content.
            raise RequestInvalid(("", "these bytes are no request of this method")) from exc


async def _only(requests: Requests) -> Any:
    async for request in requests:
        return request
    raise RequestInvalid(("", "the call ended without a request"))


class Turns:
    """A few turns at a time; one that lasts longer than `patience_seconds` counts no more."""

    def __init__(self, at_a_time: int, *, patience_seconds: float) -> None:
        self._free = asyncio.Semaphore(at_a_time)
        self._patience_seconds = patience_seconds

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn and hold it, in order of arrival."""
        await self._free.acquire()
        held = True

        def give() -> None:
            nonlocal held
            if held:
                held = False
                self._free.release()

        patience = asyncio.get_running_loop().call_later(self._patience_seconds, give)
        try:
            yield
        finally:
            patience.cancel()
            give()
