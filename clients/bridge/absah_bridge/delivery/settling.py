"""Decide where a message goes that was not answered: to wait for another attempt, or to people."""

from __future__ import annotations

import asyncio
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

NOTE_SECONDS = 10.0
"""How long what need not be noted waits to be, while the core is away."""


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

    async def park(
        self, delivery: Delivery, error: MessageInvalid, *, attempts: int | None = None
    ) -> Settled:
        """To the parking queue: sending it again as it is will not help. `attempts` is given where
        they were made in place."""
        await self._note(delivery, "PARKED", attempt=attempts, error=error)
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
        await self._note(delivery, "RETRIED", attempt=attempt, error=_told(error, attempt))
        publication = self._wait(delivery, delays[attempt - 1], attempt + 1)
        return Settled(publication=publication, outcome="retried")

    async def exhausted(
        self, delivery: Delivery, error: BaseException, *, attempts: int
    ) -> Settled:
        """To the parking queue, after so many attempts."""
        return await self.park(delivery, _told(error, attempts), attempts=attempts)

    async def retried_in_place(
        self, delivery: Delivery, error: BaseException, *, attempt: int
    ) -> None:
        """Note an attempt that failed of a message that keeps its place."""
        self._tell(error)
        await self._note(delivery, "RETRIED", attempt=attempt, error=_told(error, attempt))

    async def held(self, delivery: Delivery, *, seconds: float) -> Settled:
        """To a waiting queue, uncounted: the core was away, or it has much to do for one message,
        which is not the message's fault."""
        delay_seconds = topology.waits(self.system.config)[-1]
        attempt = dead_letters.attempt_of(delivery.properties)
        log.warning("message held", extra={"system": self.system.name, "seconds": seconds})
        reason = f"came to no end in {seconds / 60:g} minutes, which is not counted"
        await self._note_soon(delivery, "RETRIED", attempt=attempt, reason=reason)
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

    async def answered(self, delivery: Delivery, *, attempts: int | None = None) -> None:
        """Note the end of a message that had a story; `attempts` as in `park`."""
        in_place = self.system.config.consume.ordered_by is not None and (
            (attempts or 1) > 1 or dead_letters.deliveries_of(delivery.properties) > 0
        )
        if in_place or dead_letters.has_story(delivery.properties):
            await self._note_soon(delivery, "ANSWERED", attempt=attempts)

    async def _note_soon(
        self, delivery: Delivery, outcome: str, *, attempt: int | None, reason: str = ""
    ) -> None:
        """Note what is as true without a note, if that can be done now."""
        try:
            async with asyncio.timeout(NOTE_SECONDS):
                await self._note(delivery, outcome, attempt=attempt, reason=reason)
        except TimeoutError:
            log.warning("not noted", extra={"system": self.system.name, "outcome": outcome})

    async def _note(
        self,
        delivery: Delivery,
        outcome: str,
        *,
        attempt: int | None = None,
        error: MessageInvalid | None = None,
        reason: str = "",
    ) -> None:
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
                attempt=attempt or dead_letters.attempt_of(delivery.properties),
                outcome=outcome,
                error=error,
                reason=reason,
            )
        )


def _told(error: BaseException, attempts: int) -> MessageInvalid:
    # Of what nobody foresaw, the text may quote the message.
    text = str(error) if isinstance(error, BridgeError | TimeoutError) else ""
    problem = f"{type(error).__name__}: {text}" if text else type(error).__name__
    many = f"{attempts} attempts" if attempts > 1 else "1 attempt"
    return MessageInvalid(Cause.RETRIES_EXHAUSTED, f"after {many}: {problem}")
