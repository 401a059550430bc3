"""Write audit events, in the transaction of the change that they tell of."""

from __future__ import annotations

from collections.abc import Iterable

from psycopg.types.json import Jsonb

from absah_server.core.audit import AuditEvent
from absah_server.store import queries
from absah_server.store.database import Connection

SQL = queries.load("audit")


async def append(connection: Connection, events: Iterable[AuditEvent]) -> None:
    """Add events to what is to be sealed; they exist once the transaction commits."""
    rows = [
        {
            "tenant": event.tenant,
            "actor": event.actor,
            "action": event.action,
            "subject": event.subject,
            "details": Jsonb(dict(event.details)),
        }
        for event in events
    ]
    async with connection.cursor() as cursor:
        await cursor.executemany(SQL["append"], rows)
