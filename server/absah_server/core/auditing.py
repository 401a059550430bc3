"""What may be asked of the audit log: its events, its head, whether it is whole, an export."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from absah_server.core import audit_export, chain
from absah_server.core.audit import AuditEvent, AuditFilter, Head, Place, SealedEvent, Waiting
from absah_server.core.callers import Caller
from absah_server.core.errors import ChainBroken, RequestInvalid
from absah_server.core.ports import AuditLog

SUBJECT = "audit"
MAX_UNTOLD = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Verification:
    """How a verification ended: `problem` is the first broken link, None where all is in order.

    `untold` are validations that were decided without an event, the first `MAX_UNTOLD`.
    """

    head: Head
    events: int
    waiting: Waiting
    untold: Sequence[str] = ()
    anchor_sequence: int | None = None
    problem: ChainBroken | None = None


class Auditor:
    """Answers operators about the log of their tenant, and writes down that it was asked.

    All raise `StoreUnavailable`.
    """

    def __init__(self, log: AuditLog) -> None:
        self._log = log

    async def head(self, tenant: str) -> Head:
        """Where the tenant's chain ends; sequence 0 and zeros where it has not begun."""
        return await self._log.head(tenant)

    async def events(
        self, tenant: str, wanted: AuditFilter, *, after: Place | None, limit: int
    ) -> Sequence[SealedEvent]:
        """The newest events first, those that come after a place."""
        return await self._log.listed(tenant, wanted, after=after, limit=limit)

    async def verify(self, caller: Caller, *, anchor: bytes | None = None) -> Verification:
        """Follow the whole chain, in constant memory; `anchor` is a hash that it must hold."""
        verifier = chain.Verifier(caller.tenant, anchor=anchor)
        problem = None
        try:
            await self._follow(verifier)
        except ChainBroken as exc:
            problem = exc
        await self._tell(caller, "audit.verified", {"whole": problem is None})
        return Verification(
            head=verifier.last,
            events=verifier.last.sequence,
            waiting=await self._log.waiting(caller.tenant),
            untold=await self._log.untold(caller.tenant, limit=MAX_UNTOLD),
            anchor_sequence=verifier.anchor_sequence,
            problem=problem,
        )

    async def export(self, caller: Caller, *, first: int = 1) -> AsyncIterator[bytes]:
        """The sealed events from sequence `first` on as `audit_export` writes them.

        Raises `RequestInvalid` where there is no such event, `ChainBroken` where one has no
        canonical form.
        """
        start = Head()
        if first != 1:
            before = await self._log.at(caller.tenant, first - 1) if first > 1 else None
            if before is None:
                raise RequestInvalid(("first_sequence", f"the chain does not reach {first - 1}"))
            start = before
        head = await self._log.head(caller.tenant)
        await self._tell(caller, "audit.exported", {"first": first, "last": head.sequence})
        async for piece in audit_export.write(
            caller.tenant,
            self._up_to(caller.tenant, start, head),
            head,
            start=start,
            time=datetime.datetime.now(datetime.UTC),
        ):
            yield piece

    async def operated(
        self, caller: Caller, action: str, subject: str, details: dict[str, object]
    ) -> None:
        """Write down what an operator did."""
        await self._tell(caller, action, details, subject=subject)

    async def _follow(self, verifier: chain.Verifier) -> None:
        """Until no event comes; what is sealed meanwhile is followed too."""
        while True:
            came = verifier.last.sequence
            async for events in self._log.sealed(verifier.tenant, after=came):
                await asyncio.to_thread(_add, verifier, events)
            head = await self._log.head(verifier.tenant)
            last = verifier.last.sequence
            if head.sequence <= last or last == came or verifier.in_doubt:
                verifier.end(head)
                return

    async def _up_to(
        self, tenant: str, start: Head, head: Head
    ) -> AsyncIterator[list[SealedEvent]]:
        async for events in self._log.sealed(tenant, after=start.sequence):
            yield [event for event in events if event.sequence <= head.sequence]
            if events[-1].sequence >= head.sequence:
                return

    async def _tell(
        self, caller: Caller, action: str, details: dict[str, object], *, subject: str = SUBJECT
    ) -> None:
        event = AuditEvent(
            tenant=caller.tenant,
            actor=caller.client,
            action=action,
            subject=subject,
            details=details,
        )
        await self._log.append([event])


def _add(verifier: chain.Verifier, events: Sequence[SealedEvent]) -> None:
    for event in events:
        verifier.add(event)
