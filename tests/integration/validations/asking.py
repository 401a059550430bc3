"""What the tests of kept validations ask of the server, its store and its database."""

from __future__ import annotations

import hashlib
from typing import Any

import psycopg

from absah_server.core import names
from absah_server.core.acceptance import Entry
from absah_server.core.callers import Caller
from absah_server.core.requesting import Request, RequestedDocument
from absah_server.core.submission import Priority
from absah_server.core.validation import DocumentRecord, Record, State, Validation

Rows = psycopg.AsyncConnection[tuple[Any, ...]]


async def column(rows: Rows, statement: str, *parameters: Any) -> list[Any]:
    """The first column of what a statement returns."""
    cursor = await rows.execute(statement.encode(), parameters)
    return [row[0] for row in await cursor.fetchall()]


def entry(*, stored: str = "", content: bytes = b"", request_id: str = "") -> Entry:
    """A validation to accept, of this content, of one that is `stored`, or of one of its own."""
    made = names.new_id()
    digest = stored or hashlib.sha256(content or made.bytes).hexdigest()
    record = Record(
        documents=[
            DocumentRecord(
                document="report",
                role="report",
                filename="",
                media_type="text/plain",
                size_bytes=4,
                digest=digest,
            )
        ],
        claims_digest=digest,
        policy="short-text@1",
        policy_digest=digest,
        checkers={},
        models=[],
        server_version="1",
    )
    return Entry(
        id=made,
        caller=Caller(),
        digest=bytes.fromhex(digest),
        request=Request(
            policy="short-text@1",
            checkers=(),
            documents=[RequestedDocument(role="report", filename="", digest=digest, is_text=True)],
            claims={},
            priority=Priority.NORMAL,
        ),
        validation=Validation(
            name=names.validation_name(made),
            request_id=request_id,
            state=State.PENDING,
            record=record,
            create_time=names.time_of(made),
            update_time=names.time_of(made),
        ),
        stored=frozenset({stored} if stored else ()),
    )
