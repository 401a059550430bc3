"""Hear what PostgreSQL tells on its channels, over one connection for the whole process."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import psycopg
from psycopg import sql

from absah_server.store.database import GONE

log = logging.getLogger(__name__)

Hear = Callable[[str | None], None]
"""Takes a payload; None after the connection was made anew: what was told meanwhile is unknown."""
RECONNECT_SECONDS = 0.5


class Notifications:
    """Listens on `channels` from `start` to `close`, and connects anew whenever it must."""

    def __init__(self, url: str, channels: Sequence[str]) -> None:
        self._url = url
        self._channels = channels
        self._hearers: dict[str, list[Hear]] = defaultdict(list)
        self._listening: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to listen; what is told once this has returned and PostgreSQL answers is heard."""
        self._listening = asyncio.create_task(self._listen_always(), name="notifications")

    async def close(self) -> None:
        """Listen no more."""
        if self._listening:
            self._listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._listening

    @contextmanager
    def hearing(self, channel: str, hear: Hear) -> Iterator[None]:
        """Call `hear` with each payload of a channel within the block; it must not block."""
        assert channel in self._channels
        self._hearers[channel].append(hear)
        try:
            yield
        finally:
            self._hearers[channel].remove(hear)

    async def _listen_always(self) -> None:
        while True:
            try:
                await self._listen()
            except GONE as exc:
                log.info("notifications broke off", extra={"problem": type(exc).__name__})
            except Exception:
                log.exception("notifications broke off")
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _listen(self) -> None:
        connection = await psycopg.AsyncConnection.connect(
            self._url,
            autocommit=True,
            connect_timeout=3,
            application_name="absah notifications",
            keepalives_idle=5,
            keepalives_interval=2,
            keepalives_count=3,
        )
        try:
            for channel in self._channels:
                await connection.execute(sql.SQL("listen {}").format(sql.Identifier(channel)))
            for channel in self._channels:
                self.tell(channel, None)
            async for notification in connection.notifies():
                self.tell(notification.channel, notification.payload)
        finally:
            await connection.close()

    def tell(self, channel: str, payload: str | None) -> None:
        """Tell all hearers of a channel."""
        for hear in tuple(self._hearers[channel]):
            hear(payload)


class ValidationChanges:
    """Tells of changes of validations, as `watching.Changes`, from `start` to `close`."""

    def __init__(self, notifications: Notifications, channel: str) -> None:
        self._notifications = notifications
        self._channel = channel
        self._followers: dict[str, set[asyncio.Event]] = {}
        self._hearing = contextlib.ExitStack()

    @property
    def followed(self) -> int:
        """How many validations somebody follows."""
        return len(self._followers)

    def start(self) -> None:
        """Begin to hear of changes."""
        self._hearing.enter_context(self._notifications.hearing(self._channel, self._hear))

    def close(self) -> None:
        """Hear of changes no more."""
        self._hearing.close()

    @contextmanager
    def following(self, validation_id: uuid.UUID) -> Iterator[asyncio.Event]:
        """An event that is set with every change, and whenever one may have been missed."""
        changed = asyncio.Event()
        followers = self._followers.setdefault(validation_id.hex, set())
        followers.add(changed)
        try:
            yield changed
        finally:
            followers.discard(changed)
            if not followers and self._followers.get(validation_id.hex) is followers:
                del self._followers[validation_id.hex]

    def _hear(self, payload: str | None) -> None:
        told = self._followers.values() if payload is None else [self._followers.get(payload, ())]
        for followers in told:
            for changed in followers:
                changed.set()
