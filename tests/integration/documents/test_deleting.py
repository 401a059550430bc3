"""What is deleted takes along what was read from it, and no more than that."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row
from support import TEXT_ONLY, Checker, Finding, Outcome, Result, running_server

import absah
from absah_server.store import documents

POLICY = """\
policy: words
version: 1
title: {id: Teks, en: Text}
documents:
  report: {title: {id: Laporan, en: Report}, count: [1, 3], media_types: [text/plain]}
claims: {}
checks:
  words: {documents: [report]}
rules:
  - rule: read
    each: result
    when: result.document == "report-1"
    decision: REJECT
    message: {id: "tertulis {result.facts.text}", en: "it says {result.facts.text}"}
accepted: {id: Baik, en: Fine}
"""


class Words(Checker):
    """Reads a text."""

    name = "words"
    version = "1.0"
    title = "Words"
    capabilities = TEXT_ONLY

    async def check(self, document: Any, context: Any) -> Result:
        text = document.text or ""
        finding = Finding(code="read", message=f"read {text}", attributes={"text": text})
        return Result(outcome=Outcome.PASS, score=0.5, findings=(finding,), facts={"text": text})


@pytest.fixture
async def address(settings: Any) -> Any:
    (settings.policies / "words.yaml").write_text(POLICY)
    async with running_server(settings, (Words,)) as address:
        yield address


async def kept(database_url: str) -> str:
    async with await psycopg.AsyncConnection.connect(
        database_url, row_factory=dict_row
    ) as connection:
        found = ""
        for table in ("validations", "check_results", "audit_events"):
            cursor = await connection.execute(f"select * from {table}".encode())
            found += str(await cursor.fetchall())
    return found


async def test_what_was_read_from_a_document_goes_with_it(
    client: absah.AsyncClient, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "ERASED_AT_A_TIME", 2)
    secret, other = absah.Text("Budi"), absah.Text("Siti")
    made = [await client.validate("words", report=[secret, other]) for _ in range(5)]
    assert "it says Budi" in str(made[0].verdict)
    await client.delete_document(f"documents/{made[0].record.documents[0].sha256}")
    assert "Budi" not in await kept(database_url)
    for before in made:
        after = await client.validation(before.name)
        assert after.record == before.record
        assert after.verdict.decision == before.verdict.decision
        assert [r.rule for r in after.verdict.reasons] == ["read"]
        assert [r.outcome for r in after.check_results] == [r.outcome for r in before.check_results]
        assert [f.code for r in after.check_results for f in r.findings] == ["read", "read"]
        assert after.check_results[1] == before.check_results[1]


async def test_another_tenant_keeps_what_was_read_from_the_same(
    client: absah.AsyncClient, address: str
) -> None:
    async with absah.AsyncClient(address, tenant="other") as other:
        secret = [absah.Text("Budi"), absah.Text("Siti")]
        theirs = await other.validate("words", report=secret)
        ours = await client.validate("words", report=secret)
        await client.delete_document(f"documents/{ours.record.documents[0].sha256}")
        assert (await other.validation(theirs.name)).verdict == theirs.verdict
