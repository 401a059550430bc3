"""What has been kept long enough goes; the record of what was decided stays."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row
from support import Length, Slow, running_server

import absah
from absah.admin.v1 import admin_service_pb2
from absah.v1 import validation_pb2

from .conftest import Asking, digest_of, files, messages, name_of, refusal

POLICY = """\
policy: {name}
version: 1
title: {{id: Teks, en: Text}}
documents:
  report: {{title: {{id: Laporan, en: Report}}, count: [1, 3], media_types: [text/plain]}}
claims:
  author:
    title: {{id: Penulis, en: Author}}
    type: string
    compare: '{{"agreement": "AGREES", "found": "Budi", "id": "Budi", "en": "Budi"}}'
checks:
  length: {{documents: [report]}}
rules:
  - rule: long
    when: checks.length[0].facts.length > 20
    decision: REVIEW
    message: {{id: "{{claims.author}} menulis panjang", en: "{{claims.author}} wrote much"}}
accepted: {{id: Baik, en: Fine}}
{retention}"""
SECRET = "Budi"


@pytest.fixture
def settings(settings: Any) -> Any:
    for name, retention in (
        ("brief", "retention: {documents_days: 30}\n"),
        ("longer", "retention: {documents_days: 300}\n"),
        ("forever", ""),
    ):
        text = POLICY.format(name=name, retention=retention)
        (settings.policies / f"{name}.yaml").write_text(text)
    blobs = settings.blobs.model_copy(update={"grace_seconds": 0.0})
    return settings.model_copy(update={"blobs": blobs})


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Any]:
    connection = await psycopg.AsyncConnection.connect(
        database_url, autocommit=True, row_factory=dict_row
    )
    async with connection:
        yield connection


async def rows(database: Any, statement: str) -> list[dict[str, Any]]:
    return list(await (await database.execute(statement)).fetchall())


async def age(database: Any, *, days: int) -> None:
    """Let time pass, for all that is there."""
    for table, columns in {
        "validations": ("create_time",),
        "documents": ("expire_time",),
        "unneeded_contents": ("mark_time",),
    }.items():
        changes = ", ".join(f"{c} = {c} - interval '{days} days'" for c in columns)
        await database.execute(f"update {table} set {changes}")


async def purge(address: str, *, dry_run: bool = False) -> admin_service_pb2.PurgeDocumentsResponse:
    with absah.AdminClient(address, client="operator") as admin:
        return await asyncio.to_thread(admin.purge_documents, dry_run=dry_run)


def contents(data_folder: Path) -> set[str]:
    """Digests of the contents that are kept."""
    return {path.parent.name + path.name for path in files(data_folder)}


async def validate(client: absah.AsyncClient, policy: str, text: str = f"ini {SECRET}") -> Any:
    return await client.validate(policy, report=absah.Text(text), claims={"author": SECRET})


async def test_contents_go_when_the_policys_time_is_over(
    client: absah.AsyncClient, address: str, database: Any, data_folder: Path
) -> None:
    text = f"ini laporan panjang {SECRET}"
    await validate(client, "brief", "pendek")
    made = await validate(client, "brief", text)
    await database.execute("update reviews set state = 'DECIDED'")
    await age(database, days=29)
    assert (await purge(address)).erased_validations == 0
    assert digest_of(text.encode()) in contents(data_folder)

    await age(database, days=2)
    done = await purge(address)
    assert (done.erased_validations, done.deleted_documents) == (2, 2)
    assert done.deleted_bytes == len(text.encode()) + len("pendek")
    assert contents(data_folder) == set()

    kept = str(await rows(database, "select request, record, verdict from validations"))
    kept += str(await rows(database, "select result from check_results"))
    assert SECRET not in kept
    assert digest_of(text.encode()) in kept
    (row,) = await rows(
        database, f"select verdict from validations where id = '{made.name.partition('/')[2]}'"
    )
    assert row["verdict"]["decision"] == "REVIEW"
    assert row["verdict"]["reasons"][0]["rule"] == "long"
    (result, _) = await rows(database, "select result from check_results")
    assert result["result"]["result"]["findings"][0]["code"] == "length"
    assert result["result"]["result"]["facts"] == {}


async def test_an_erased_validation_can_still_be_got(
    client: absah.AsyncClient, address: str, database: Any
) -> None:
    made = await validate(client, "brief")
    await age(database, days=31)
    await purge(address)
    found = await client.validation(made.name)
    assert found.verdict.decision == made.verdict.decision
    assert found.record.policy_sha256 == made.record.policy_sha256
    assert [d.sha256 for d in found.record.documents] == [d.sha256 for d in made.record.documents]
    assert [r.outcome for r in found.check_results] == [r.outcome for r in made.check_results]
    assert SECRET not in str(found)


async def test_a_policy_without_retention_keeps_its_contents(
    client: absah.AsyncClient, address: str, database: Any, data_folder: Path
) -> None:
    await validate(client, "forever")
    await age(database, days=10_000)
    done = await purge(address)
    assert done == admin_service_pb2.PurgeDocumentsResponse()
    assert len(contents(data_folder)) == 1


async def test_a_content_of_two_validations_goes_with_the_last(
    client: absah.AsyncClient, address: str, asking: Asking, database: Any, data_folder: Path
) -> None:
    await validate(client, "brief")
    await validate(client, "longer")
    await age(database, days=31)
    done = await purge(address)
    assert (done.erased_validations, done.deleted_documents) == (1, 0)
    text = f"ini {SECRET}".encode()
    assert await asking.download(name_of(text)) == text

    await age(database, days=300)
    done = await purge(address)
    assert (done.erased_validations, done.deleted_documents) == (1, 1)
    assert done.removed_contents == 1
    assert contents(data_folder) == set()


async def test_a_content_of_two_tenants_goes_with_the_last(
    asking: Asking, address: str, database: Any, data_folder: Path
) -> None:
    other = Asking(address, tenant="other")
    await asking.upload(messages(b"halo"))
    await other.upload(messages(b"halo"))
    await asking.delete(name_of(b"halo"))
    assert (await purge(address)).removed_contents == 0
    assert await other.download(name_of(b"halo")) == b"halo"
    await other.delete(name_of(b"halo"))
    assert (await purge(address)).removed_contents == 1
    assert contents(data_folder) == set()
    await other.channel.close()


async def test_an_upload_that_nothing_needs_expires(
    asking: Asking, address: str, database: Any, data_folder: Path
) -> None:
    await asking.upload(messages(b"halo"))
    await age(database, days=29)
    assert (await purge(address)).deleted_documents == 0
    await age(database, days=2)
    assert (await purge(address)).deleted_documents == 1
    assert contents(data_folder) == set()
    failed = await refusal(asking.download(name_of(b"halo")))
    assert failed.reason == "DOCUMENT_NOT_FOUND"


async def test_an_upload_that_a_validation_needs_stays_with_it(
    client: absah.AsyncClient, asking: Asking, address: str, database: Any
) -> None:
    document = await client.upload(b"ini laporan")
    await client.validate("brief", report=document, claims={"author": SECRET})
    await database.execute("update documents set expire_time = now() - interval '1 day'")
    assert (await purge(address)).deleted_documents == 0
    assert await asking.download(document.name) == b"ini laporan"
    await age(database, days=31)
    assert (await purge(address)).deleted_documents == 1


async def test_a_policy_version_that_is_gone_is_kept_as_the_newest_says(
    settings: Any, database: Any, data_folder: Path
) -> None:
    async with running_server(settings, (Length, Slow)) as at, absah.AsyncClient(at) as client:
        await validate(client, "brief")
    newer = POLICY.format(name="brief", retention="retention: {documents_days: 60}\n")
    (settings.policies / "brief.yaml").write_text(newer.replace("version: 1", "version: 2"))
    async with running_server(settings, (Length, Slow)) as at:
        await age(database, days=59)
        assert (await purge(at)).erased_validations == 0
        await age(database, days=2)
        assert (await purge(at, dry_run=True)).erased_validations == 1
        assert (await purge(at)).erased_validations == 1
    assert contents(data_folder) == set()


async def test_a_policy_that_is_gone_is_kept_as_the_server_says(
    settings: Any, database: Any
) -> None:
    async with running_server(settings, (Length, Slow)) as at, absah.AsyncClient(at) as client:
        await validate(client, "brief")
    (settings.policies / "brief.yaml").unlink()
    blobs = settings.blobs.model_copy(update={"documents_days": 200})
    async with running_server(settings.model_copy(update={"blobs": blobs}), (Length, Slow)) as at:
        await age(database, days=199)
        assert (await purge(at)).erased_validations == 0
        await age(database, days=2)
        assert (await purge(at)).erased_validations == 1


async def test_a_reviewers_words_go_with_the_contents(
    address: str, client: absah.AsyncClient, database: Any
) -> None:
    made = await validate(client, "brief", f"ini laporan panjang {SECRET}")
    review = made.name.replace("validations/", "reviews/")
    await client.claim_review(review, reviewer="siti")
    reason = f"{SECRET} sudah ditanya"
    await client.decide_review(review, "accept", reason=reason, reviewer="siti")
    await age(database, days=31)
    await purge(address)
    found = (await client.validation(made.name)).human_decision
    assert (found.reason, found.reviewer) == ("", "siti")
    assert found.decision == validation_pb2.DECISION_ACCEPT
    kept = str(await rows(database, "select * from reviews"))
    kept += str(await rows(database, "select details from audit_events"))
    assert SECRET not in kept
    assert digest_of(reason.encode()) in kept


async def test_what_waits_for_a_person_keeps_its_contents(
    client: absah.AsyncClient, address: str, database: Any
) -> None:
    await validate(client, "brief", "laporan yang panjang sekali")
    await age(database, days=31)
    assert (await purge(address)).erased_validations == 0
    await database.execute("update reviews set state = 'DECIDED'")
    assert (await purge(address)).erased_validations == 1


async def test_a_dry_run_tells_the_same_and_does_nothing(
    client: absah.AsyncClient, asking: Asking, address: str, database: Any, data_folder: Path
) -> None:
    await validate(client, "brief")
    await validate(client, "longer")
    await validate(client, "brief", "lain")
    await asking.upload(messages(b"halo"))
    await age(database, days=31)
    told = await purge(address, dry_run=True)
    assert (told.erased_validations, told.deleted_documents) == (2, 2)
    assert len(contents(data_folder)) == 3
    done = await purge(address)
    assert (done.erased_validations, done.deleted_documents, done.deleted_bytes) == (
        told.erased_validations,
        told.deleted_documents,
        told.deleted_bytes,
    )


async def test_an_abandoned_upload_is_removed(
    asking: Asking, address: str, database: Any, data_folder: Path
) -> None:
    await refusal(asking.upload(messages(bytes(1000), until=400)))
    (partial,) = (data_folder / "blobs" / "uploads").glob("*/*")
    assert (await purge(address)).removed_uploads == 0
    os.utime(partial, (0, 0))
    await database.execute("update documents set expire_time = now() - interval '1 s'")
    assert (await purge(address)).removed_uploads == 1
    assert not partial.exists()
    failed = await refusal(asking.get(name_of(bytes(1000))))
    assert failed.reason == "DOCUMENT_NOT_FOUND"


async def test_a_content_that_no_row_came_to_refer_to_is_swept(
    asking: Asking, address: str, data_folder: Path
) -> None:
    await asking.upload(messages(b"halo"))
    orphan = data_folder / "blobs" / "00" / ("0" * 62)
    orphan.parent.mkdir()
    orphan.write_bytes(b"orphan")
    await purge(address)
    assert orphan.exists()  # it may be about to be referred to
    for path in (data_folder / "blobs").glob("??/*"):
        os.utime(path, (0, 0))
    await purge(address)  # now it is known
    await purge(address)
    assert not orphan.exists()
    assert await asking.download(name_of(b"halo")) == b"halo"


async def test_deletions_are_told_in_the_audit_log(
    client: absah.AsyncClient, asking: Asking, address: str, database: Any
) -> None:
    made = await validate(client, "brief")
    await asking.upload(messages(b"halo"))
    await asking.delete(name_of(b"halo"))
    await age(database, days=31)
    await purge(address)
    events = await rows(
        database,
        "select actor, action, subject, details from audit_events "
        "where action <> 'validation.decided' order by id",
    )
    assert [(e["actor"], e["action"], e["subject"]) for e in events] == [
        ("tests", "document.deleted", name_of(b"halo")),
        ("operator", "validation.erased", made.name),
        ("operator", "documents.purged", "documents"),
        ("operator", "purge.ended", "documents"),
    ]
    assert digest_of(f"ini {SECRET}".encode()) in str(events[2]["details"])


async def test_a_purge_tells_a_tenant_of_its_own_alone(
    asking: Asking, address: str, database: Any, data_folder: Path
) -> None:
    other = Asking(address, tenant="other")
    await asking.upload(messages(b"halo"))
    await other.upload(messages(b"hai"))
    await refusal(other.upload(messages(bytes(1000), until=400)))
    await other.channel.close()
    for path in (data_folder / "blobs" / "uploads").glob("*/*"):
        os.utime(path, (0, 0))
    await age(database, days=31)
    told = await purge(address, dry_run=True)
    assert (told.deleted_documents, told.deleted_bytes, told.removed_uploads) == (1, 4, 0)
    done = await purge(address)
    assert (done.deleted_documents, done.deleted_bytes, done.removed_contents) == (1, 4, 1)
    assert done.removed_uploads == 0
    assert contents(data_folder) == set()
    (event,) = await rows(
        database, "select tenant, details from audit_events where action = 'purge.ended'"
    )
    assert event["tenant"] == "default"
    assert event["details"] == {
        "validations": 0,
        "documents": 1,
        "size_bytes": 4,
        "contents": 1,
        "uploads": 0,
    }


async def test_contents_go_though_looking_through_all_documents_breaks_off(
    settings: Any, database_url: str, database: Any, data_folder: Path
) -> None:
    store = settings.store.model_copy(update={"statement_seconds": 0.5})
    hasty = settings.model_copy(update={"store": store})
    async with running_server(hasty, (Length, Slow)) as address:
        asking = Asking(address)
        for content in (b"halo", b"hai"):
            await asking.upload(messages(content))
        await asking.delete(name_of(b"halo"))
        await database.execute("update documents set expire_time = null")
        async with await psycopg.AsyncConnection.connect(database_url) as busy:
            await busy.execute("select from documents where state = 'READY' for update")
            with pytest.raises(absah.CallFailed) as failed:
                await purge(address)
        await asking.channel.close()
    assert failed.value.reason == "STORE_UNAVAILABLE"
    assert contents(data_folder) == {digest_of(b"hai")}
    (event,) = await rows(database, "select details from audit_events where action = 'purge.ended'")
    assert event["details"]["contents"] == 1


async def test_a_document_in_use_cannot_be_deleted(
    client: absah.AsyncClient, asking: Asking, database: Any
) -> None:
    document = await client.upload(b"30")
    created = await client.create_validation(checkers=["slow"], report=document, request_id="r1")
    failed = await refusal(asking.delete(document.name))
    assert failed.reason == "DOCUMENT_IN_USE"
    assert failed.subject == document.name
    await client.cancel_validation(created.name)
    await asking.delete(document.name)
    found = await client.validation(created.name)
    assert found.record.documents[0].sha256 == digest_of(b"30")


async def test_the_server_purges_by_itself(settings: Any, database: Any, data_folder: Path) -> None:
    blobs = settings.blobs.model_copy(update={"purge_seconds": 0.1})
    hasty = settings.model_copy(update={"blobs": blobs})
    async with running_server(hasty, (Length, Slow)) as address:
        async with absah.AsyncClient(address) as client:
            await validate(client, "brief")
        assert len(contents(data_folder)) == 1
        await age(database, days=31)
        async with asyncio.timeout(20):
            while contents(data_folder):
                await asyncio.sleep(0.05)
