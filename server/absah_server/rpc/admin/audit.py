"""The methods of AdminService that are about the audit log."""

from __future__ import annotations

import datetime
import re
from collections.abc import AsyncIterator
from typing import Any

import grpc
from google.protobuf import duration_pb2

from absah.admin.v1 import admin_service_pb2 as pb2
from absah_server.core.audit import AuditFilter, Head, Place, SealedEvent
from absah_server.core.auditing import Auditor, Verification
from absah_server.core.errors import NothingKept, RequestInvalid
from absah_server.rpc import callers, errors, keysets, scalars

Context = grpc.aio.ServicerContext[Any, Any]
HASH = re.compile(r"[0-9a-f]{64}")


class AuditMethods:
    """Asks `auditor`, which is None where the server keeps nothing."""

    auditor: Auditor | None

    async def ListAuditEvents(  # noqa: N802
        self, request: pb2.ListAuditEventsRequest, context: Context
    ) -> pb2.ListAuditEventsResponse:
        return await errors.answer(context, self._list_events(request, context))

    async def GetAuditHead(  # noqa: N802
        self, request: pb2.GetAuditHeadRequest, context: Context
    ) -> pb2.GetAuditHeadResponse:
        return await errors.answer(context, self._get_head(context))

    async def VerifyAudit(  # noqa: N802
        self, request: pb2.VerifyAuditRequest, context: Context
    ) -> pb2.VerifyAuditResponse:
        return await errors.answer(context, self._verify(request, context))

    async def ExportAudit(  # noqa: N802
        self, request: pb2.ExportAuditRequest, context: Context
    ) -> AsyncIterator[pb2.ExportAuditResponse]:
        pieces = await errors.answer(context, self._export(request, context))
        while (piece := await errors.answer(context, anext(pieces, None))) is not None:
            yield pb2.ExportAuditResponse(content=piece)

    async def _list_events(
        self, request: pb2.ListAuditEventsRequest, context: Context
    ) -> pb2.ListAuditEventsResponse:
        caller = callers.caller_of(context)
        wanted = AuditFilter(
            subject=request.filter.subject,
            actor=request.filter.actor,
            action=request.filter.action,
        )
        scalars.verify_texts(
            {
                "filter.subject": wanted.subject,
                "filter.actor": wanted.actor,
                "filter.action": wanted.action,
            }
        )
        size = keysets.size(request.page_size)
        query = [caller.tenant, wanted.subject, wanted.actor, wanted.action]
        after = None
        if request.page_token:
            after = keysets.last_of("ListAuditEvents", query, request.page_token, parse=_place)
        found = await self._auditor().events(caller.tenant, wanted, after=after, limit=size + 1)
        shown = found[:size]
        following = ""
        if len(found) > size:
            last = f"{shown[-1].sequence}.{shown[-1].id}"
            following = keysets.token("ListAuditEvents", query, last)
        return pb2.ListAuditEventsResponse(
            audit_events=[_event(event) for event in shown], next_page_token=following
        )

    async def _get_head(self, context: Context) -> pb2.GetAuditHeadResponse:
        head = await self._auditor().head(callers.caller_of(context).tenant)
        return pb2.GetAuditHeadResponse(head=_head(head))

    async def _verify(
        self, request: pb2.VerifyAuditRequest, context: Context
    ) -> pb2.VerifyAuditResponse:
        anchor = request.anchor_sha256
        if anchor and not HASH.fullmatch(anchor):
            raise RequestInvalid(("anchor_sha256", "must be 64 digits of 0-9 a-f"))
        verified = await self._auditor().verify(
            callers.caller_of(context), anchor=bytes.fromhex(anchor) if anchor else None
        )
        return _verification(verified)

    async def _export(
        self, request: pb2.ExportAuditRequest, context: Context
    ) -> AsyncIterator[bytes]:
        if request.first_sequence < 0:
            raise RequestInvalid(("first_sequence", "must not be negative"))
        return self._auditor().export(callers.caller_of(context), first=request.first_sequence or 1)

    def _auditor(self) -> Auditor:
        if self.auditor is None:
            raise NothingKept
        return self.auditor


def _place(written: str) -> Place:
    sequence, _, number = written.partition(".")
    return Place(sequence=scalars.number(sequence), id=scalars.number(number))


def _event(event: SealedEvent) -> pb2.AuditEvent:
    pb = pb2.AuditEvent(
        id=event.id,
        sequence=event.sequence,
        actor=event.actor,
        action=event.action,
        subject=event.subject,
        sha256=event.hash.hex(),
    )
    pb.event_time.FromJsonString(event.time)
    pb.details.update(dict(event.details))
    return pb


def _head(head: Head) -> pb2.AuditHead:
    return pb2.AuditHead(sequence=head.sequence, sha256=head.hash.hex())


def _verification(verified: Verification) -> pb2.VerifyAuditResponse:
    age = duration_pb2.Duration()
    age.FromTimedelta(datetime.timedelta(seconds=verified.waiting.oldest_seconds))
    broken = verified.problem
    return pb2.VerifyAuditResponse(
        head=_head(verified.head),
        broken_link=pb2.BrokenLink(sequence=broken.sequence, problem=broken.problem)
        if broken
        else None,
        anchor_sequence=verified.anchor_sequence or 0,
        unsealed_events=verified.waiting.events,
        unsealed_age=age,
        untold_decisions=verified.untold,
    )
