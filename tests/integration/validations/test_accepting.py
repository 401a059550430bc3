"""What is accepted is in the store once, with its job, documents and audit event."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from integration.validations.asking import Rows, column, entry
from support import Length, make_registry, running_server

import absah
from absah.v1 import validation_pb2
from absah_server.core.errors import DocumentNotFound
from absah_server.core.validation import Validation
from absah_server.store.database import Database
from absah_server.store.validation_store import PostgresValidations


async def refused(client: absah.AsyncClient, *policy: str, **given: Any) -> absah.CallFailed:
    with pytest.raises(absah.CallFailed) as error:
        await client.create_validation(*policy, **given)
    return error.value


async def test_an_accepted_validation_is_there_with_its_job_documents_and_audit_event(
    client: absah.AsyncClient, rows: Rows
) -> None:
    made = await client.create_validation("short-text", report=absah.Text("halo"))
    digest = hashlib.sha256(b"halo").digest()
    assert made.state == validation_pb2.STATE_PENDING
    assert made.record.documents[0].sha256 == digest.hex()
    jobs = await column(rows, "select args ->> 'validation_id' from procrastinate_jobs")
    assert jobs == [made.name.removeprefix("validations/")]
    assert await column(rows, "select job_id from validations") == await column(
        rows, "select id from procrastinate_jobs"
    )
    assert await column(rows, "select sha256 from documents where state = 'READY'") == [digest]
    assert await column(rows, "select document from validation_documents") == ["report"]
    assert "validation.accepted" in await column(rows, "select action from audit_events")


async def test_the_same_request_id_leads_to_the_same_validation(
    client: absah.AsyncClient, rows: Rows
) -> None:
    first = await client.create_validation(
        "short-text", report=absah.Text("halo"), request_id="r-1"
    )
    again = await client.create_validation(
        "short-text", report=absah.Text("halo"), request_id="r-1", priority="high"
    )
    assert again.name == first.name
    assert await column(rows, "select count(*) from validations") == [1]


@pytest.mark.parametrize(
    "changed",
    [
        {"report": absah.Text("other")},
        {"report": b"halo"},
        {"report": [absah.Text("halo"), absah.Text("halo")]},
        {"claims": {"number": "2"}},
    ],
    ids=["content", "bytes for text", "one more", "claims"],
)
async def test_a_used_request_id_with_another_body_is_refused_naming_its_validation(
    client: absah.AsyncClient, changed: dict[str, Any]
) -> None:
    given: dict[str, Any] = {"report": absah.Text("halo"), "request_id": "r-1"}
    first = await client.create_validation("short-text", **given)
    error = await refused(client, "short-text", **(given | changed))
    assert (error.code, error.reason) == (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")
    assert first.name in error.message


async def test_fifty_at_once_under_one_id_are_one_validation_with_one_job(
    client: absah.AsyncClient, rows: Rows
) -> None:
    made = await asyncio.gather(
        *(
            client.create_validation("short-text", report=absah.Text("halo"), request_id="r-1")
            for _ in range(50)
        )
    )
    assert len({each.name for each in made}) == 1
    assert await column(rows, "select count(*) from validations") == [1]
    assert await column(rows, "select count(*) from procrastinate_jobs") == [1]
    accepted = "select count(*) from audit_events where action = 'validation.accepted'"
    assert await column(rows, accepted) == [1]


async def test_of_fifty_bodies_at_once_under_one_id_one_is_accepted(
    client: absah.AsyncClient,
) -> None:
    ended = await asyncio.gather(
        *(
            client.create_validation(
                "short-text", report=absah.Text(f"body {number}"), request_id="r-1"
            )
            for number in range(50)
        ),
        return_exceptions=True,
    )
    failed = [each for each in ended if isinstance(each, absah.CallFailed)]
    assert len(failed) == 49
    assert {error.reason for error in failed} == {"REQUEST_ID_REUSED"}


async def test_what_comes_at_once_is_committed_together(
    client: absah.AsyncClient, rows: Rows
) -> None:
    made = await asyncio.gather(
        *(client.create_validation("short-text", report=absah.Text("halo")) for _ in range(50))
    )
    assert len({each.name for each in made}) == 50
    transactions = await column(rows, "select count(distinct xmin::text) from validations")
    assert transactions[0] < 25
    assert await column(rows, "select count(distinct job_id) from validations") == [50]


@asynccontextmanager
async def stores(url: str, count: int = 1) -> AsyncIterator[list[PostgresValidations]]:
    """Stores of several servers over one database."""
    databases = [Database(url) for _ in range(count)]
    for database in databases:
        await database.open()
    try:
        yield [PostgresValidations(database) for database in databases]
    finally:
        for database in databases:
            await database.close()


async def test_servers_that_are_sent_the_same_ids_and_documents_at_once_agree(
    database_url: str, rows: Rows
) -> None:
    sent = [(f"r-{number % 20}", b"text %d" % (number % 20)) for number in range(200)]
    random.Random(7).shuffle(sent)
    async with stores(database_url, 3) as servers:
        made = await asyncio.gather(
            *(
                servers[number % 3].accept(entry(request_id=request_id, content=content))
                for number, (request_id, content) in enumerate(sent)
            )
        )
    assert len({each.name for each in made}) == 20
    assert len({(each.name, each.request_id) for each in made}) == 20
    assert await column(rows, "select count(*) from validations") == [20]
    assert await column(rows, "select count(*) from procrastinate_jobs") == [20]
    assert await column(rows, "select count(*) from audit_events") == [20]


async def test_one_whose_document_goes_meanwhile_is_refused_and_no_other(
    database_url: str, client: absah.AsyncClient, rows: Rows
) -> None:
    first = await client.create_validation("short-text", report=absah.Text("halo"))
    digest = first.record.documents[0].sha256
    await rows.execute(b"update documents set state = 'DELETED'")
    async with stores(database_url) as (validations,):
        ended = await asyncio.gather(
            validations.accept(entry(stored=digest)),
            *(validations.accept(entry()) for _ in range(5)),
            return_exceptions=True,
        )
    assert isinstance(ended[0], DocumentNotFound)
    assert all(isinstance(each, Validation) for each in ended[1:])
    assert await column(rows, "select count(*) from validations") == [6]
    assert await column(rows, "select count(*) from procrastinate_jobs") == [6]


async def test_two_clients_may_use_the_same_request_id(
    address: str, client: absah.AsyncClient
) -> None:
    first = await client.create_validation(
        "short-text", report=absah.Text("halo"), request_id="r-1"
    )
    async with absah.AsyncClient(address, client="agency") as other:
        second = await other.create_validation(
            "short-text", report=absah.Text("other"), request_id="r-1"
        )
    assert first.name != second.name


async def test_one_that_comes_again_is_found_though_its_policy_is_gone(
    client: absah.AsyncClient, rows: Rows
) -> None:
    gone = absah.request("gone", {"report": absah.Text("halo")}, request_id="r-1")
    kept = await client.create_validation("short-text", report=absah.Text("halo"), request_id="r-1")
    digest = await column(rows, "select request_digest from validations")
    assert digest
    with pytest.raises(absah.CallFailed) as error:
        await client.submit(gone)
    assert error.value.reason == "REQUEST_ID_REUSED"
    assert kept.name in error.value.message


async def test_an_uploaded_document_is_validated_by_its_name(
    client: absah.AsyncClient, rows: Rows
) -> None:
    first = await client.create_validation("short-text", report=absah.Text("halo"))
    message = absah.request("short-text", {})
    message.documents.add(role="report", name=f"documents/{first.record.documents[0].sha256}")
    second = await client.submit(message)
    assert second.record.documents[0].sha256 == first.record.documents[0].sha256
    assert await column(rows, "select count(*) from validation_documents") == [2]


@pytest.mark.parametrize("tenant", ["", "elsewhere"])
async def test_an_unknown_document_or_one_of_another_tenant_is_not_found(
    address: str, client: absah.AsyncClient, tenant: str
) -> None:
    digest = hashlib.sha256(b"halo").hexdigest()
    if tenant:
        await client.create_validation("short-text", report=absah.Text("halo"))
    message = absah.request("short-text", {})
    message.documents.add(role="report", name=f"documents/{digest}")
    async with absah.AsyncClient(address, tenant=tenant) as other:
        with pytest.raises(absah.CallFailed) as error:
            await other.submit(message)
    assert error.value.code is grpc.StatusCode.NOT_FOUND
    assert error.value.reason == "DOCUMENT_NOT_FOUND"
    assert digest in error.value.message


async def test_bad_requests_are_refused_before_anything_is_kept(
    client: absah.AsyncClient, rows: Rows
) -> None:
    unknown = await refused(client, "no-such", report=absah.Text("halo"))
    assert (unknown.code, unknown.reason) == (grpc.StatusCode.NOT_FOUND, "POLICY_NOT_FOUND")
    unexpected = await refused(client, "short-text", letter=absah.Text("halo"))
    assert unexpected.reason == "UNEXPECTED_DOCUMENTS"
    claims = await refused(
        client, "short-text", report=absah.Text("halo"), claims={"colour": "red"}
    )
    assert claims.reason == "UNEXPECTED_CLAIMS"
    malformed = absah.request("short-text", {})
    malformed.documents.add(role="report", name="documents/short")
    with pytest.raises(absah.CallFailed) as error:
        await client.submit(malformed)
    assert [field for field, _ in error.value.fields] == ["documents[0].name"]
    assert await column(rows, "select count(*) from validations") == [0]
    assert await column(rows, "select count(*) from documents") == [0]


async def test_claims_are_neither_in_the_audit_log_nor_in_the_server_log(
    client: absah.AsyncClient, rows: Rows, caplog: pytest.LogCaptureFixture
) -> None:
    given: dict[str, Any] = {
        "report": absah.Text("halo rahasia"),
        "claims": {"number": "3201011508950001"},
        "request_id": "r-1",
    }
    await client.create_validation("short-text", **given)
    await refused(client, "short-text", **(given | {"report": absah.Text("x")}))
    told = str(await column(rows, "select details::text from audit_events")) + caplog.text
    assert "3201011508950001" not in told
    assert "rahasia" not in told
    assert "3201011508950001" in str(await column(rows, "select request::text from validations"))


async def test_a_text_with_nul_is_kept_as_it_is(client: absah.AsyncClient) -> None:
    message = absah.request(
        "short-text", {"report": absah.Text("a\x00b")}, claims={"number": "\x00"}
    )
    message.documents[0].filename = "\x00.txt"
    made = await client.submit(message)
    assert (await client.validation(made.name)).record.documents[0].filename == "\x00.txt"


async def test_a_caller_with_an_impossible_name_is_refused(address: str) -> None:
    async with absah.AsyncClient(address, tenant="no spaces") as client:
        error = await refused(client, "short-text", report=absah.Text("halo"))
    assert error.code is grpc.StatusCode.INVALID_ARGUMENT
    assert [field for field, _ in error.fields] == ["absah-tenant"]


async def test_a_server_without_a_store_says_so(settings: Any, tmp_path: Any) -> None:
    bare = settings.model_copy(update={"store": settings.store.model_copy(update={"kind": "none"})})
    async with running_server(bare, make_registry(Length)) as bound, absah.AsyncClient(bound) as c:
        error = await refused(c, "short-text", report=absah.Text("halo"))
    assert error.reason == "NOTHING_KEPT"
