"""Run the bridge: connect, consume every system's queue, connect again when the broker is lost."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pika

from absah_bridge.delivery import amqp
from absah_bridge.delivery.amqp import Connection, ConnectionLost, Publisher
from absah_bridge.delivery.consuming import Consumer
from absah_bridge.delivery.core import Core
from absah_bridge.delivery.handling import Attachments, Handler
from absah_bridge.delivery.ledger import Ledger
from absah_bridge.delivery.settling import Settling
from absah_bridge.systems import LegacySystem

log = logging.getLogger(__name__)

FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 15.0
DRAIN_SECONDS = 30.0


@dataclass(kw_only=True, slots=True)
class Status:
    """How the bridge stands, for its health endpoint."""

    connected: bool = False
    consumers: Mapping[str, Consumer] = field(default_factory=dict)


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
    ) -> None:
        """`cores` has one for each system: the core tells request ids of systems apart by it."""
        self._systems = systems
        self._brokers = list(brokers)
        self._cores = cores
        self._attachments = attachments
        self._ledger = ledger
        self.status = Status()

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until `stop`, then end what is under way.

        A lost broker is not an error: the next is tried, at growing intervals. Raises `BridgeError`
        if a queue exists with other arguments than are needed.
        """
        wait = FIRST_WAIT_SECONDS
        stopping = asyncio.ensure_future(stop.wait())
        while not stop.is_set():
            try:
                await self._serve(stopping)
                wait = FIRST_WAIT_SECONDS
            except ConnectionLost as exc:
                log.error("broker lost", extra={"why": str(exc), "retry_seconds": wait})
                self._brokers.append(self._brokers.pop(0))
                await asyncio.wait((stopping,), timeout=wait * (1 + random.random() / 4))  # noqa: S311
                wait = min(wait * 2, LONGEST_WAIT_SECONDS)

    async def _serve(self, stopping: asyncio.Future[Any]) -> None:
        # Answers go by a connection of their own: one that publishes may be blocked by the broker,
        # and acknowledgements must get through even then.
        consuming = await amqp.connect(self._brokers)
        try:
            publishing = await amqp.connect(self._brokers)
            try:
                await self._consume(consuming, publishing, stopping)
            finally:
                await publishing.close()
        finally:
            self.status.connected = False
            self.status.consumers = {}
            await consuming.close()

    async def _consume(
        self, consuming: Connection, publishing: Connection, stopping: asyncio.Future[Any]
    ) -> None:
        publisher = await Publisher.open(publishing)
        consumers = {
            name: self._consumer(system, consuming, publisher)
            for name, system in self._systems.items()
        }
        for consumer in consumers.values():
            await consumer.start()
        self.status.consumers = consumers
        self.status.connected = True
        log.info("consuming", extra={"systems": sorted(consumers)})
        await asyncio.wait(
            (stopping, consuming.lost, publishing.lost), return_when=asyncio.FIRST_COMPLETED
        )
        lost = next((c for c in (consuming, publishing) if c.lost.done()), None)
        # What is under way cannot be settled on a lost connection: it is delivered again.
        within = 0.0 if lost else DRAIN_SECONDS
        await asyncio.gather(*(c.stop(within_seconds=within) for c in consumers.values()))
        if lost:
            raise ConnectionLost(lost.lost.result())

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
