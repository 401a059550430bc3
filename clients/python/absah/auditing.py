"""The calls of operators that are about the audit log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import grpc

from absah.admin.v1 import admin_service_pb2 as pb2
from absah.errors import from_rpc_error

FOLLOWING_SECONDS = 3600.0
"""How long verifying or exporting a long log may take."""


class AuditCalls:
    """What an `AdminClient` asks of the audit log of its tenant."""

    _stub: Any
    _call: Callable[..., Any]

    def audit_events(
        self, *, subject: str = "", actor: str = "", action: str = "", limit: int = 100
    ) -> Iterator[pb2.AuditEvent]:
        """The newest events, at most `limit`; `action` may be the beginning of one."""
        wanted = pb2.AuditFilter(subject=subject, actor=actor, action=action)
        message = pb2.ListAuditEventsRequest(filter=wanted)
        while limit > 0:
            message.page_size = min(limit, 100)
            answer = self._call(self._stub.ListAuditEvents, message)
            yield from answer.audit_events
            limit -= len(answer.audit_events)
            message.page_token = answer.next_page_token
            if not message.page_token:
                return

    def audit_head(self) -> pb2.AuditHead:
        """Where the chain ends, to be written down elsewhere."""
        head: pb2.AuditHead = self._call(self._stub.GetAuditHead, pb2.GetAuditHeadRequest()).head
        return head

    def verify_audit(self, *, anchor: str = "") -> pb2.VerifyAuditResponse:
        """Let the server follow the whole chain; `anchor` is a hash that it must hold."""
        message = pb2.VerifyAuditRequest(anchor_sha256=anchor)
        try:
            answer: pb2.VerifyAuditResponse = self._stub.VerifyAudit(
                message, timeout=FOLLOWING_SECONDS
            )
        except grpc.RpcError as exc:
            raise from_rpc_error(exc) from exc
        return answer

    def export_audit(self, *, first_sequence: int = 1) -> Iterator[bytes]:
        """The log as a file that proves itself, in pieces."""
        message = pb2.ExportAuditRequest(first_sequence=first_sequence)
        try:
            for answer in self._stub.ExportAudit(message, timeout=FOLLOWING_SECONDS):
                yield answer.content
        except grpc.RpcError as exc:
            raise from_rpc_error(exc) from exc
