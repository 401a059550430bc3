"""What it costs that nothing accepted is ever lost, and what a list of very many costs."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import functools
import hashlib
import statistics
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import psycopg
from measuring import Figure, alternate
from psycopg.types.json import Jsonb

from absah_server.core import names
from absah_server.core.acceptance import Entry
from absah_server.core.callers import Caller
from absah_server.core.listing import ValidationFilter
from absah_server.core.requesting import Request, RequestedDocument
from absah_server.core.submission import Priority
from absah_server.core.validation import DocumentRecord, Record, State, Validation
from absah_server.store import archive, migrations
from absah_server.store.database import Database
from absah_server.store.embedded import EmbeddedPostgres
from absah_server.store.validation_store import PostgresValidations

CALLERS = 16
SUBMISSIONS = 1600
VALIDATIONS = 1_000_000
PAGE = 100
PAGE_ROUNDS = 15

# The rows that one submission leaves, each written by a statement of its own.
INSERTS = (
    b"""insert into validations (
        id, tenant, client, request_id, request_digest, state, policy, priority, request, record,
        create_time, update_time
    ) values (%s, %s, %s, %s, %s, 'PENDING', %s, %s, %s, %s, %s, %s)""",
    b"""insert into documents (
        tenant, sha256, size_bytes, media_type, state, create_time, update_time, expire_time
    ) values (%s, %s, %s, %s, 'READY', now(), now(), now())""",
    b"""insert into validation_documents (validation_id, document, tenant, sha256)
    values (%s, %s, %s, %s)""",
    b"""insert into audit_events (tenant, event_time, actor, action, subject, details)
    values (%s, now(), %s, %s, %s, %s)""",
    b"""insert into procrastinate_jobs (queue_name, task_name, priority, args)
    values ('validations', 'validate', 0, %s)""",
)
FILL = b"""
insert into validations (
    id, tenant, client, request_id, request_digest, state, policy, decision, priority, request,
    record, verdict, attempt, create_time, update_time
)
select
    (lpad(to_hex(1000 * (1700000000 + n)), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))
        ::uuid,
    'default', 'client', 'request-' || n, '\\x00', 'SUCCEEDED', 'field-report@1',
    case when mod(n, 20) = 0 then 'REJECT' else 'ACCEPT' end, 1, '{}', %(record)s,
    '{"decision": "ACCEPT", "reasons": [], "comparisons": []}', 1,
    to_timestamp(1700000000 + n), now()
from generate_series(1, %(count)s::bigint) as n
"""


def durable_vs_bare_inserts() -> Figure:
    with database() as url:
        ours, theirs = alternate(
            lambda: asyncio.run(_accepted_a_second(url)),
            lambda: asyncio.run(_inserted_a_second(url)),
        )
    return Figure(
        name="durable_vs_bare_inserts",
        ours=ours,
        theirs=theirs,
        unit="submissions/s",
        at_least=0.5,
        note=f"{CALLERS} callers of the store's accept, with job and audit event, against bare "
        f"inserts of the same five rows by psycopg in pipeline mode, {CALLERS} connections",
    )


def list_first_page() -> Figure:
    return _page_figure("list_first_page", _page_milliseconds()[0])


def list_thousandth_page() -> Figure:
    return _page_figure("list_thousandth_page", _page_milliseconds()[1])


def _page_figure(name: str, milliseconds: float) -> Figure:
    return Figure(
        name=name,
        ours=milliseconds,
        theirs=1.0,
        unit="ms",
        at_most=50,
        note=f"{PAGE} of {VALIDATIONS:,} validations through the store, median of {PAGE_ROUNDS}",
    )


@functools.cache
def _page_milliseconds() -> tuple[float, float]:
    """Of the first page and of the thousandth."""
    with database() as url:
        with psycopg.connect(url, autocommit=True) as connection:
            record = archive.record.write(entry(0).validation.record)
            connection.execute(FILL, {"record": record, "count": VALIDATIONS})
            connection.execute(b"vacuum analyze validations")
        return asyncio.run(_pages(url))


@contextmanager
def database() -> Iterator[str]:
    """The URL of a fresh PostgreSQL with the newest schema, durable as it comes."""
    with tempfile.TemporaryDirectory() as folder:
        embedded = EmbeddedPostgres(Path(folder) / "postgres")
        url = embedded.start()
        try:
            asyncio.run(_migrate(url))
            yield url
        finally:
            embedded.close()


async def _migrate(url: str) -> None:
    async with opened(url) as store:
        await migrations.migrate(store)


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Database]:
    """A database's pool."""
    made = Database(url)
    await made.open()
    try:
        yield made
    finally:
        await made.close()


def entry(number: int) -> Entry:
    """A submission of one document, as the core hands it to the store."""
    made = names.new_id()
    digest = hashlib.sha256(made.bytes).hexdigest()
    now = datetime.datetime.now(datetime.UTC)
    record = Record(
        documents=[
            DocumentRecord(
                document="photo",
                role="photo",
                filename=f"evidence-{number}.jpg",
                media_type="image/jpeg",
                size_bytes=1_000_000,
                digest=digest,
            )
        ],
        claims_digest=digest,
        policy="field-report@1",
        policy_digest=digest,
        checkers={},
        models=[],
        server_version="1",
    )
    return Entry(
        id=made,
        caller=Caller(client="ministry"),
        digest=bytes.fromhex(digest),
        request=Request(
            policy="field-report@1",
            checkers=(),
            documents=[
                RequestedDocument(
                    role="photo", filename=f"evidence-{number}.jpg", digest=digest, is_text=False
                )
            ],
            claims={"nik": "3201011508950001", "name": "Siti Rahmawati"},
            priority=Priority.NORMAL,
        ),
        validation=Validation(
            name=names.validation_name(made),
            request_id=uuid.uuid4().hex,
            state=State.PENDING,
            record=record,
            create_time=names.time_of(made),
            update_time=now,
        ),
    )


async def _accepted_a_second(url: str) -> float:
    async with opened(url) as store:
        validations = PostgresValidations(store)
        return await _rate([validations.accept] * CALLERS)


async def _inserted_a_second(url: str) -> float:
    async with contextlib.AsyncExitStack() as stack:
        connections = [
            await stack.enter_async_context(
                await psycopg.AsyncConnection.connect(url, autocommit=True)
            )
            for _ in range(CALLERS)
        ]
        return await _rate([_inserter(connection) for connection in connections])


def _inserter(
    connection: psycopg.AsyncConnection[Any],
) -> Callable[[Entry], Coroutine[Any, Any, None]]:
    async def insert(submitted: Entry) -> None:
        rows = _rows(submitted)
        async with connection.pipeline(), connection.transaction():
            for statement, row in zip(INSERTS, rows, strict=True):
                await connection.execute(statement, row)

    return insert


def _rows(submitted: Entry) -> tuple[tuple[Any, ...], ...]:
    validation = submitted.validation
    document = validation.record.documents[0]
    digest = bytes.fromhex(document.digest)
    tenant, client = submitted.caller.tenant, submitted.caller.client
    return (
        (
            submitted.id,
            tenant,
            client,
            validation.request_id,
            submitted.digest,
            validation.record.policy,
            int(submitted.request.priority),
            archive.request.write(submitted.request),
            archive.record.write(validation.record),
            validation.create_time,
            validation.update_time,
        ),
        (tenant, digest, document.size_bytes, document.media_type),
        (submitted.id, document.document, tenant, digest),
        (
            tenant,
            client,
            "validation.accepted",
            validation.name,
            Jsonb(
                {
                    "policy": validation.record.policy,
                    "policy_sha256": validation.record.policy_digest,
                    "claims_sha256": validation.record.claims_digest,
                    "documents": {document.document: document.digest},
                    "request_id": validation.request_id,
                    "request_sha256": submitted.digest.hex(),
                }
            ),
        ),
        (Jsonb({"validation_id": submitted.id.hex}),),
    )


async def _rate(callers: list[Callable[[Entry], Coroutine[Any, Any, Any]]]) -> float:
    """Submissions a second of callers who each wait for one before the next."""
    each = SUBMISSIONS // len(callers)
    entries = [[entry(number) for number in range(each)] for _ in callers]

    async def call(submit: Callable[[Entry], Coroutine[Any, Any, Any]], own: list[Entry]) -> None:
        for submitted in own:
            await submit(submitted)

    began = time.perf_counter()
    await asyncio.gather(*map(call, callers, entries))
    return each * len(callers) / (time.perf_counter() - began)


async def _pages(url: str) -> tuple[float, float]:
    async with opened(url) as store:
        validations = PostgresValidations(store)
        first = await _page_took(validations, None)
        before = None
        for _ in range(999):
            page = await validations.page("default", ValidationFilter(), before=before, limit=PAGE)
            before = names.parse_id(page[-1].name, collection="validations")
        return first, await _page_took(validations, before)


async def _page_took(validations: PostgresValidations, before: uuid.UUID | None) -> float:
    """Milliseconds; one row more than is shown tells whether there is a next page."""
    took = []
    for _ in range(PAGE_ROUNDS):
        began = time.perf_counter()
        await validations.page("default", ValidationFilter(), before=before, limit=PAGE + 1)
        took.append(time.perf_counter() - began)
    return statistics.median(took) * 1000
