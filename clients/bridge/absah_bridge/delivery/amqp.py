"""pika's callbacks as things that can be awaited: connections, publishing with confirms."""

from __future__ import annotations

import asyncio
import collections
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pika
import pika.channel
import pika.exceptions
import pika.spec
from pika.adapters.asyncio_connection import AsyncioConnection

from absah_bridge.errors import BridgeError


class ConnectionLost(BridgeError):
    """The broker, or the way to it, is gone; what was unacknowledged will be delivered again."""


class NotConfirmed(BridgeError):
    """The broker refused a message (basic.nack)."""


class NotRouted(BridgeError):
    """No queue took a message that must be taken by one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Publication:
    """A message to publish. It is persistent, and must reach a queue."""

    exchange: str
    routing_key: str
    body: bytes
    properties: pika.BasicProperties


class Connection:
    """An open connection; `lost` is done when it is closed, by whomever."""

    def __init__(self, connection: AsyncioConnection) -> None:
        self._connection = connection
        self.lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.unblocked = asyncio.Event()
        """Cleared while the broker takes no messages for want of memory or disk."""
        self.unblocked.set()
        connection.add_on_close_callback(self._on_close)
        connection.add_on_connection_blocked_callback(lambda *_: self.unblocked.clear())
        connection.add_on_connection_unblocked_callback(lambda *_: self.unblocked.set())

    def _on_close(self, connection: Any, reason: BaseException) -> None:
        if not self.lost.done():
            self.lost.set_result(str(reason))

    async def channel(self) -> pika.channel.Channel:
        """Open a channel; raises `ConnectionLost`."""
        opened: asyncio.Future[pika.channel.Channel] = asyncio.get_running_loop().create_future()
        try:
            self._connection.channel(on_open_callback=lambda channel: _resolve(opened, channel))
        except pika.exceptions.AMQPError as exc:
            raise ConnectionLost(str(exc)) from exc
        return await self.unless_lost(opened)

    async def unless_lost(self, future: asyncio.Future[Any]) -> Any:
        """The future's result; raises `ConnectionLost` when the connection goes first."""
        await asyncio.wait((future, self.lost), return_when=asyncio.FIRST_COMPLETED)
        if not future.done():
            raise ConnectionLost(self.lost.result())
        return future.result()

    async def close(self) -> None:
        """Close it and wait until it is."""
        if not self._connection.is_closing and not self._connection.is_closed:
            self._connection.close()
        await asyncio.wait((self.lost,), timeout=5.0)


async def connect(parameters: Sequence[pika.ConnectionParameters]) -> Connection:
    """Connect to the first of these that answers; raises `ConnectionLost` if none does."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Any] = loop.create_future()
    AsyncioConnection.create_connection(
        list(parameters), lambda result: _resolve(done, result), custom_ioloop=loop
    )
    result = await done
    if isinstance(result, BaseException):
        raise ConnectionLost(_innermost(result)) from result
    return Connection(result)


def _innermost(error: BaseException) -> str:
    """What pika's workflow wraps several times over, for people."""
    inner = getattr(error, "exceptions", None)
    while inner:
        error, inner = inner[-1], getattr(inner[-1], "exception", None)
        inner = [inner] if inner is not None else None
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


async def call(connection: Connection, method: Callable[..., Any], **arguments: Any) -> Any:
    """Call a channel's method that answers by callback; raises `ConnectionLost`.

    A channel that the broker closes for it, such as for a queue that exists with other arguments,
    ends it with `BridgeError` that says why.
    """
    channel = method.__self__  # type: ignore[attr-defined]
    answered: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    channel.add_on_close_callback(lambda _, reason: _fail(answered, BridgeError(str(reason))))
    try:
        method(callback=lambda frame: _resolve(answered, frame), **arguments)
    except pika.exceptions.AMQPError as exc:
        raise ConnectionLost(str(exc)) from exc
    return await connection.unless_lost(answered)


class Publisher:
    """Publishes with confirms on one channel; many may wait at once."""

    def __init__(self, connection: Connection, channel: pika.channel.Channel) -> None:
        self._connection = connection
        self._channel = channel
        self._tag = 0
        self._waiting: dict[int, asyncio.Future[None]] = collections.OrderedDict()
        self._returnable: dict[str, int] = {}
        channel.add_on_return_callback(self._on_return)
        channel.add_on_close_callback(self._on_close)

    @classmethod
    async def open(cls, connection: Connection) -> Publisher:
        """A publisher on a channel of its own; raises `ConnectionLost`."""
        channel = await connection.channel()
        made = cls(connection, channel)
        await call(
            connection,
            channel.confirm_delivery,
            ack_nack_callback=made._on_confirm,
        )
        return made

    async def publish(self, publication: Publication) -> None:
        """Publish, and return when the broker has it in a queue's safekeeping.

        Raises `ConnectionLost` (it may have arrived), `NotConfirmed` or `NotRouted`.
        """
        await self._connection.unblocked.wait()
        self._tag += 1
        tag = self._tag
        confirmed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[tag] = confirmed
        # The broker returns what it cannot route before it confirms it, with these properties.
        if publication.properties.message_id:
            self._returnable[publication.properties.message_id] = tag
        try:
            self._channel.basic_publish(
                publication.exchange,
                publication.routing_key,
                publication.body,
                publication.properties,
                mandatory=True,
            )
        except pika.exceptions.AMQPError as exc:
            self._waiting.pop(tag, None)
            raise ConnectionLost(str(exc)) from exc
        await confirmed

    def _on_confirm(self, frame: Any) -> None:
        method = frame.method
        tags = [method.delivery_tag]
        if method.multiple:
            tags = [tag for tag in self._waiting if tag <= method.delivery_tag]
        for tag in tags:
            future = self._waiting.pop(tag, None)
            if future is None or future.done():
                continue
            if isinstance(method, pika.spec.Basic.Ack):
                future.set_result(None)
            else:
                future.set_exception(NotConfirmed("the broker refused it"))

    def _on_return(self, channel: Any, method: Any, properties: Any, body: bytes) -> None:
        tag = self._returnable.get(properties.message_id or "", 0)
        future = self._waiting.get(tag)
        if future is not None and not future.done():
            future.set_exception(
                NotRouted(
                    f"no queue takes it: {method.exchange or '(default)'} "
                    f"{method.routing_key!r}, {method.reply_text}"
                )
            )

    def _on_close(self, channel: Any, reason: BaseException) -> None:
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(ConnectionLost(str(reason)))
        self._waiting.clear()


def _resolve(future: asyncio.Future[Any], value: Any) -> None:
    if not future.done():
        future.set_result(value)


def _fail(future: asyncio.Future[Any], error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)


def headers_of(properties: pika.BasicProperties) -> Mapping[str, Any]:
    """The headers, never None."""
    return properties.headers or {}
