"""pika's callbacks as things that can be awaited: connections, channels, calls."""

from __future__ import annotations

import asyncio
import copy
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pika
import pika.channel
import pika.exceptions
from pika.adapters.asyncio_connection import AsyncioConnection

from absah_bridge.delivery import tables
from absah_bridge.errors import BridgeError

tables.install()

MAX_SHORT_BYTES = 255
"""Of an id, a content type or a header's name."""


class ConnectionLost(BridgeError):
    """The broker, or the way to it, is gone; what was unacknowledged will be delivered again."""


class ChannelClosed(ConnectionLost):
    """The broker closed a channel and said why, such as for an exchange that it does not have."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"{text} ({code})")
        self.code = code
        self.text = text


@dataclass(frozen=True, kw_only=True, slots=True)
class Publication:
    """A message to publish. It is persistent, and must reach a queue."""

    exchange: str
    routing_key: str
    body: bytes
    properties: pika.BasicProperties


class _Gathering(AsyncioConnection):  # type: ignore[misc]
    """Sends what one turn of the event loop has to say in one go.

    pika writes a message as three frames, each by a system call of its own.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        self._gathered: list[bytes] = []
        super().__init__(*arguments, **named)

    def _adapter_emit_data(self, data: bytes) -> None:
        if not self._gathered:
            asyncio.get_running_loop().call_soon(self._emit)
        self._gathered.append(data)

    def _emit(self) -> None:
        data = b"".join(self._gathered)
        self._gathered.clear()
        if self._transport is not None:
            super()._adapter_emit_data(data)


class Connection:
    """An open connection; `lost` is done when it is closed, by whomever."""

    def __init__(
        self, connection: AsyncioConnection, parameters: pika.ConnectionParameters
    ) -> None:
        self.parameters = parameters
        """Of the broker that it leads to."""
        self._connection = connection
        self.lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.unblocked = asyncio.Event()
        """Cleared while the broker takes no messages for want of memory or disk."""
        self.unblocked.set()
        connection.add_on_close_callback(self._on_close)
        connection.add_on_connection_blocked_callback(lambda *_: self.unblocked.clear())
        connection.add_on_connection_unblocked_callback(lambda *_: self.unblocked.set())

    def _on_close(self, connection: Any, reason: BaseException) -> None:
        resolve(self.lost, str(reason))

    async def channel(self) -> pika.channel.Channel:
        """Open a channel; raises `ConnectionLost`."""
        opened: asyncio.Future[pika.channel.Channel] = asyncio.get_running_loop().create_future()
        try:
            self._connection.channel(on_open_callback=lambda channel: resolve(opened, channel))
        except pika.exceptions.AMQPError as exc:
            raise ConnectionLost(str(exc)) from exc
        return await self.unless_lost(opened)

    async def unless_lost(self, future: asyncio.Future[Any]) -> Any:
        """The future's result; raises `ConnectionLost` when the connection goes first."""
        try:
            await asyncio.wait((future, self.lost), return_when=asyncio.FIRST_COMPLETED)
            if not future.done():
                raise ConnectionLost(self.lost.result())
        finally:
            future.cancel()
        return future.result()

    async def until_unblocked(self) -> None:
        """Wait until the broker takes messages; raises `ConnectionLost`."""
        if not self.unblocked.is_set():
            await self.unless_lost(asyncio.ensure_future(self.unblocked.wait()))

    async def close(self) -> None:
        """Close it and wait until it is."""
        if not self._connection.is_closing and not self._connection.is_closed:
            self._connection.close()
        await asyncio.wait((self.lost,), timeout=5.0)


async def connect(brokers: Sequence[pika.ConnectionParameters]) -> Connection:
    """Connect to the first of these that answers; raises `ConnectionLost` if none does."""
    problems = []
    for parameters in brokers:
        result = await _connected(parameters)
        if not isinstance(result, BaseException):
            return Connection(result, parameters)
        problems.append(f"{parameters.host}:{parameters.port} {_innermost(result)}")
    raise ConnectionLost("; ".join(problems))


async def _connected(parameters: pika.ConnectionParameters) -> AsyncioConnection | BaseException:
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Any] = loop.create_future()

    def ended(result: Any) -> None:
        if not done.done():
            done.set_result(result)
        elif isinstance(result, AsyncioConnection):
            result.close()  # nobody waits for it any more

    trying = _Gathering.create_connection([parameters], ended, custom_ioloop=loop)
    try:
        return await done
    except asyncio.CancelledError:
        trying.abort()
        raise


def _innermost(error: BaseException) -> str:
    """What pika's workflow wraps several times over, for people."""
    inner = getattr(error, "exceptions", None)
    while inner:
        error, inner = inner[-1], getattr(inner[-1], "exception", None)
        inner = [inner] if inner is not None else None
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


async def call(connection: Connection, method: Callable[..., Any], **arguments: Any) -> Any:
    """Call a channel's method that answers by callback.

    Raises `ConnectionLost`, or `ChannelClosed` where the broker closes the channel for it.
    """
    channel = method.__self__  # type: ignore[attr-defined]
    answered: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    channel.add_on_close_callback(lambda _, reason: fail(answered, lost_by(reason)))
    try:
        method(callback=lambda frame: resolve(answered, frame), **arguments)
    except pika.exceptions.AMQPError as exc:
        raise ConnectionLost(str(exc)) from exc
    return await connection.unless_lost(answered)


def lost_by(reason: BaseException) -> ConnectionLost:
    """What the end of a channel means: its own, or that of all the connection."""
    if isinstance(reason, pika.exceptions.ChannelClosedByBroker):
        return ChannelClosed(reason.reply_code, reason.reply_text)
    return ConnectionLost(str(reason))


def resolve(future: asyncio.Future[Any], value: Any) -> None:
    """Give a future its result, unless it is done or nobody waits for it."""
    if not future.done():
        future.set_result(value)


def fail(future: asyncio.Future[Any], error: BaseException) -> None:
    """End a future with an error, unless it is done or nobody waits for it."""
    if not future.done():
        future.set_exception(error)


def headers_of(properties: pika.BasicProperties) -> Mapping[str, Any]:
    """The headers, never None."""
    return properties.headers or {}


def readable(properties: pika.BasicProperties) -> pika.BasicProperties:
    """The properties with a message id, a content type and names of headers that are texts.

    What is not UTF-8, pika gives as bytes; it is taken for ISO 8859-1. The id that an answer is
    told by stays as it came.
    """
    headers = headers_of(properties)
    unread = (properties.message_id, properties.content_type, *headers)
    if not any(isinstance(each, bytes) for each in unread):
        return properties
    made = copy.copy(properties)
    made.headers = {_text(name): value for name, value in headers.items()}
    made.content_type = _text(properties.content_type)
    made.message_id = _text(properties.message_id)
    made.correlation_id = properties.correlation_id or properties.message_id
    return made


def _text(short: str | bytes | None) -> str | None:
    """A short string that can be sent again; one that would be too long, as its digest."""
    if not isinstance(short, bytes):
        return short
    text = short.decode("latin-1")
    if len(text.encode()) <= MAX_SHORT_BYTES:
        return text
    return f"sha256:{hashlib.sha256(short).hexdigest()}"
