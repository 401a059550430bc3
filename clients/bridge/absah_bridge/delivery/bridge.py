"""Run the bridge: connect, consume every system's queue, connect again when the broker is lost."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, TypeVar

import pika

from absah_bridge.delivery import amqp, topology, watching
from absah_bridge.delivery.amqp import Connection, ConnectionLost
from absah_bridge.delivery.consuming import Consumer
from absah_bridge.delivery.core import Core
from absah_bridge.delivery.handling import Attachments, Handler
from absah_bridge.delivery.ledger import Ledger
from absah_bridge.delivery.publishing import Publisher
from absah_bridge.delivery.settling import Settling
from absah_bridge.delivery.status import Status
from absah_bridge.systems import LegacySystem

T = TypeVar("T")

log = logging.getLogger(__name__)

FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 15.0
DRAIN_SECONDS = 20.0
"""Less than orchestrators commonly give a process to end."""


class Bridge:
    """Serves legacy systems until it is stopped."""

    def __init__(
        self,
        *,
        systems: Mapping[str, LegacySystem],
        brokers: Sequence[pika.ConnectionParameters],
        cores: Mapping[str, Core],
        attachments: Attachments,
        ledger: Ledger,
        status: Status,
    ) -> None:
        """`cores` has one for each system: the core tells request ids of systems apart by it."""
        self._systems = systems
        self._brokers = list(brokers)
        self._cores = cores
        self._attachments = attachments
        self._ledger = ledger
        self._status = status
        self._wait = FIRST_WAIT_SECONDS

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until `stop`, then end what is under way.

        A lost broker is not an error: the next is tried, at growing intervals. Raises
        `QueueUnusable` if a queue exists with other arguments than are needed, or `MayNotPublish`.
        """
        stopping = asyncio.ensure_future(stop.wait())
        try:
            while not stop.is_set():
                try:
                    await self._serve(stopping)
                except ConnectionLost as exc:
                    await self._pause(exc, stopping)
        finally:
            stopping.cancel()

    async def _pause(self, lost: ConnectionLost, stopping: asyncio.Future[Any]) -> None:
        """Wait before the next broker is tried."""
        log.error("broker lost", extra={"why": str(lost), "retry_seconds": self._wait})
        self._brokers.append(self._brokers.pop(0))
        seconds = self._wait * (1 + random.random() / 4)  # noqa: S311
        await asyncio.wait((stopping,), timeout=seconds)
        self._wait = min(self._wait * 2, LONGEST_WAIT_SECONDS)

    async def _serve(self, stopping: asyncio.Future[Any]) -> None:
        # Answers go by a connection of their own: one that publishes may be blocked by the broker,
        # and acknowledgements must get through even then.
        consuming = await _unless(stopping, amqp.connect(self._brokers))
        if consuming is None:
            return
        try:
            # To the same broker: answers belong where the questions came from.
            publishing = await _unless(stopping, amqp.connect([consuming.parameters]))
            if publishing is None:
                return
            try:
                await self._consume(consuming, publishing, stopping)
            finally:
                await publishing.close()
        finally:
            await consuming.close()

    async def _consume(
        self, consuming: Connection, publishing: Connection, stopping: asyncio.Future[Any]
    ) -> None:
        publisher = await _unless(stopping, Publisher(publishing).checked())
        if publisher is None:
            return
        ending: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        keeping = [
            asyncio.create_task(self._keep(system, consuming, publisher, ending))
            for system in self._systems.values()
        ]
        lost = (consuming.lost, publishing.lost)
        # What is under way cannot be settled on a lost connection: it is delivered again.
        within_seconds = 0.0
        try:
            await asyncio.wait((stopping, *lost, *keeping), return_when=asyncio.FIRST_COMPLETED)
            if not any(end.done() for end in lost) and not any(k.done() for k in keeping):
                within_seconds = DRAIN_SECONDS
        finally:
            self._status.connected = False
            ending.set_result(within_seconds)
            ended = await asyncio.gather(*keeping, return_exceptions=True)
        for end in lost:
            if end.done() and not within_seconds:
                raise ConnectionLost(end.result())
        for error in ended:
            if error is not None:
                raise error

    async def _keep(
        self,
        system: LegacySystem,
        connection: Connection,
        publisher: Publisher,
        ending: asyncio.Future[float],
    ) -> None:
        """Consume one system's queue until `ending` says within how many seconds to stop.

        Where that queue alone cannot be consumed, as one that others are yet to declare, it is
        tried again at growing intervals; other systems' messages go on meanwhile. Raises
        `ConnectionLost` or `QueueUnusable`.
        """
        wait = FIRST_WAIT_SECONDS
        queues = _queues(system)
        while not ending.done():
            consumer = self._consumer(system, connection, publisher)
            looking: asyncio.Task[None] | None = None
            try:
                await consumer.start()
                wait = self._wait = FIRST_WAIT_SECONDS
                self._tell(system.name, consumer)
                looking = asyncio.create_task(watching.queues(connection, queues, self._status))
                log.info("consuming", extra={"system": system.name})
                await asyncio.wait((ending, consumer.lost), return_when=asyncio.FIRST_COMPLETED)
                why = consumer.lost.result() if consumer.lost.done() else ""
            except amqp.ChannelClosed as exc:
                why = str(exc)
            finally:
                if looking is not None:
                    looking.cancel()
                await consumer.stop(within_seconds=ending.result() if ending.done() else 0.0)
                self._tell(system.name, None)
            if ending.done():
                return
            if connection.lost.done():
                raise ConnectionLost(connection.lost.result())
            extra = {"system": system.name, "why": why, "retry_seconds": wait}
            log.error("queue not consumed", extra=extra)
            await asyncio.wait((ending,), timeout=wait)
            wait = min(wait * 2, LONGEST_WAIT_SECONDS)

    def _tell(self, name: str, consumer: Consumer | None) -> None:
        """Show that a system's queue is consumed, or that it is not."""
        consumers = {**self._status.consumers, name: consumer}
        self._status.consumers = {n: c for n, c in consumers.items() if c is not None}
        self._status.connected = self._status.consumers.keys() == self._systems.keys()

    def _consumer(
        self, system: LegacySystem, connection: Connection, publisher: Publisher
    ) -> Consumer:
        return Consumer(
            handler=Handler(
                system=system, core=self._cores[system.name], attachments=self._attachments
            ),
            settling=Settling(system=system, ledger=self._ledger),
            connection=connection,
            publisher=publisher,
        )


async def _unless(stopping: asyncio.Future[Any], opening: Awaitable[T]) -> T | None:
    """What is opened, or None when the bridge is to stop first; raises as `opening` does."""
    trying = asyncio.ensure_future(opening)
    await asyncio.wait((trying, stopping), return_when=asyncio.FIRST_COMPLETED)
    if not trying.done():
        trying.cancel()
        await asyncio.gather(trying, return_exceptions=True)
        return None
    return trying.result()


def _queues(system: LegacySystem) -> list[str]:
    """The names of a system's queues."""
    queue = system.config.consume.queue
    waiting = dict.fromkeys(topology.retry(queue, s) for s in topology.waits(system.config))
    return [queue, *waiting, topology.parked(queue)]
