"""Decide where a message goes that was not answered: to wait for another attempt, or to people."""

from __future__ import annotations

import datetime
import logging
from dataclasses import dataclass

from absah_bridge.delivery import dead_letters, ledger, topology
from absah_bridge.delivery.amqp import Publication
from absah_bridge.delivery.handling import Delivery
from absah_bridge.delivery.ledger import Ledger
from absah_bridge.errors import BridgeError, Cause, MessageInvalid
from absah_bridge.systems import LegacySystem

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Settled:
    """Where a message goes, and what is to be counted."""

    publication: Publication
    outcome: str
    cause: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Settling:
    """Where the unanswered messages of one system go."""

    system: LegacySystem
    ledger: Ledger

    def delivered_too_often(self, delivery: Delivery) -> MessageInvalid | None:
        """What is wrong with a message that never comes to an end."""
        deliveries = dead_letters.deliveries_of(delivery.properties)
        if deliveries < topology.delivery_limit(self.system.config.consume):
            return None
        return MessageInvalid(
            Cause.DELIVERY_LIMIT, f"was delivered {deliveries} times and came to no end"
        )

    async def park(self, delivery: Delivery, error: MessageInvalid) -> Settled:
        """To the parking queue: sending it again as it is will not help."""
        await self._note(delivery, "PARKED", error)
        publication = dead_letters.for_parking(
            delivery.body,
            delivery.properties,
            system=self.system.name,
            queue=self.system.config.consume.queue,
            key=delivery.key,
            error=error,
            now=datetime.datetime.now(datetime.UTC),
        )
        return Settled(publication=publication, outcome="parked", cause=error.cause.value)

    async def failed(self, delivery: Delivery, error: BaseException) -> Settled:
        """To a waiting queue, or to the parking queue when all waits are used up."""
        if isinstance(error, MessageInvalid):
            return await self.park(delivery, error)
        self._tell(error)
        attempt = dead_letters.attempt_of(delivery.properties)
        delays = self.system.config.retries.delays_seconds
        if attempt > len(delays):
            return await self.exhausted(delivery, error, attempts=attempt)
        await self._note(delivery, "RETRIED", _told(error, attempt))
        publication = self._wait(delivery, delays[attempt - 1], attempt + 1)
        return Settled(publication=publication, outcome="retried")

    async def exhausted(
        self, delivery: Delivery, error: BaseException, *, attempts: int
    ) -> Settled:
        """To the parking queue, after so many attempts."""
        return await self.park(delivery, _told(error, attempts))

    def held(self, delivery: Delivery) -> Settled:
        """To a waiting queue, uncounted: the core was away, which is not the message's fault."""
        delay_seconds = topology.waits(self.system.config)[-1]
        attempt = dead_letters.attempt_of(delivery.properties)
        publication = self._wait(delivery, delay_seconds, attempt)
        return Settled(publication=publication, outcome="retried")

    def delay_seconds(self, attempt: int) -> float | None:
        """How long to wait in place before the next attempt; None when all waits are used up."""
        delays = self.system.config.retries.delays_seconds
        return delays[attempt - 1] if attempt <= len(delays) else None

    def _tell(self, error: BaseException) -> None:
        if not isinstance(error, BridgeError | TimeoutError):
            log.error("message broke the bridge", exc_info=error)

    def _wait(self, delivery: Delivery, delay_seconds: float, attempt: int) -> Publication:
        return dead_letters.for_retry(
            delivery.body,
            delivery.properties,
            queue=self.system.config.consume.queue,
            delay_seconds=delay_seconds,
            attempt=attempt,
        )

    async def answered(self, delivery: Delivery) -> None:
        """Note the end of a message that had a story."""
        if dead_letters.has_story(delivery.properties):
            await self._note(delivery, "ANSWERED", None)

    async def _note(self, delivery: Delivery, outcome: str, error: MessageInvalid | None) -> None:
        if error is not None:
            log.warning(
                "message set aside",
                extra={
                    "system": self.system.name,
                    "outcome": outcome,
                    "cause": error.cause.value,
                    "field": error.field,
                    "position": error.position,
                },
            )
        await self.ledger.note(
            ledger.attempt(
                system=self.system.name,
                message_key=delivery.key,
                queue=self.system.config.consume.queue,
                attempt=dead_letters.attempt_of(delivery.properties),
                outcome=outcome,
                error=error,
            )
        )


def _told(error: BaseException, attempts: int) -> MessageInvalid:
    # Of what nobody foresaw, the text may quote the message.
    text = str(error) if isinstance(error, BridgeError | TimeoutError) else ""
    problem = f"{type(error).__name__}: {text}" if text else type(error).__name__
    many = f"{attempts} attempts" if attempts > 1 else "1 attempt"
    return MessageInvalid(Cause.RETRIES_EXHAUSTED, f"after {many}: {problem}")
