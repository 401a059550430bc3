"""Run the bridge: connect, consume every system's queue, connect again when the broker is lost."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Mapping, Sequence
from typing import Any

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
        `QueueUnusable` if a queue exists with other arguments than are needed.
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
        publisher = Publisher(publishing)
        consumers = {
            name: self._consumer(system, consuming, publisher)
            for name, system in self._systems.items()
        }
        looking: asyncio.Task[None] | None = None
        why: ConnectionLost | None = ConnectionLost("the bridge could not begin to consume")
        try:
            for consumer in consumers.values():
                await consumer.start()
            self._status.consumers = consumers
            self._status.connected = True
            self._wait = FIRST_WAIT_SECONDS
            looking = asyncio.create_task(watching.queues(consuming, self._queues(), self._status))
            log.info("consuming", extra={"systems": sorted(consumers)})
            ends = [consuming.lost, publishing.lost, *(c.lost for c in consumers.values())]
            await asyncio.wait((stopping, *ends), return_when=asyncio.FIRST_COMPLETED)
            why = next((ConnectionLost(end.result()) for end in ends if end.done()), None)
        finally:
            self._status.connected = False
            if looking is not None:
                looking.cancel()
            # What is under way cannot be settled on a lost connection: it is delivered again.
            within = 0.0 if why else DRAIN_SECONDS
            await asyncio.gather(*(c.stop(within_seconds=within) for c in consumers.values()))
            self._status.consumers = {}
        if why:
            raise why

    def _queues(self) -> list[str]:
        names = []
        for system in self._systems.values():
            queue = system.config.consume.queue
            waiting = dict.fromkeys(topology.retry(queue, s) for s in topology.waits(system.config))
            names += [queue, *waiting, topology.parked(queue)]
        return names

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


async def _unless(stopping: asyncio.Future[Any], connecting: Any) -> Connection | None:
    """A connection, or None when the bridge is to stop first; raises `ConnectionLost`."""
    trying = asyncio.ensure_future(connecting)
    await asyncio.wait((trying, stopping), return_when=asyncio.FIRST_COMPLETED)
    if not trying.done():
        trying.cancel()
        await asyncio.gather(trying, return_exceptions=True)
        return None
    connection: Connection = trying.result()
    return connection
