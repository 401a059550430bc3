"""Decide where a message goes that was not answered: to wait for another attempt, or to people."""

from __future__ import annotations

import datetime
import logging
from dataclasses import dataclass

from absah_bridge.delivery import dead_letters, ledger
from absah_bridge.delivery.amqp import Publication
from absah_bridge.delivery.core import CoreFailed
from absah_bridge.delivery.handling import Delivery
from absah_bridge.delivery.ledger import Ledger
from absah_bridge.errors import Cause, MessageInvalid
from absah_bridge.systems import LegacySystem

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Settling:
    """Where the unanswered messages of one system go."""

    system: LegacySystem
    ledger: Ledger

    async def park(self, delivery: Delivery, error: MessageInvalid) -> Publication:
        """To the parking queue: sending it again as it is will not help."""
        await self._note(delivery, "PARKED", error)
        return dead_letters.for_parking(
            delivery.body,
            delivery.properties,
            system=self.system.name,
            queue=self.system.config.consume.queue,
            key=delivery.key,
            error=error,
            now=datetime.datetime.now(datetime.UTC),
        )

    async def failed(self, delivery: Delivery, error: BaseException) -> Publication:
        """To a waiting queue, or to the parking queue when all waits are used up."""
        if isinstance(error, MessageInvalid):
            return await self.park(delivery, error)
        if not isinstance(error, CoreFailed | TimeoutError):
            log.error("message broke the bridge", exc_info=error)
        attempt = dead_letters.attempt_of(delivery.properties)
        delays = self.system.config.retries.delays_seconds
        problem = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        told = MessageInvalid(Cause.RETRIES_EXHAUSTED, f"after {attempt} attempts: {problem}")
        if attempt > len(delays):
            return await self.park(delivery, told)
        await self._note(delivery, "RETRIED", told)
        return self._wait(delivery, delays[attempt - 1], attempt + 1)

    def held(self, delivery: Delivery) -> Publication:
        """To a waiting queue, uncounted: the core was away, which is not the message's fault."""
        delays = self.system.config.retries.delays_seconds or (1.0,)
        return self._wait(delivery, delays[-1], dead_letters.attempt_of(delivery.properties))

    def delay_seconds(self, delivery: Delivery, attempt: int) -> float | None:
        """How long to wait in place before the next attempt; None when all waits are used up."""
        delays = self.system.config.retries.delays_seconds
        return delays[attempt - 1] if attempt <= len(delays) else None

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
