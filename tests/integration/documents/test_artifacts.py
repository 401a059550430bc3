"""What checkers make as evidence is kept like documents, for the tenant of the validation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from support import TEXT_ONLY, running_server

import absah
from absah_sdk import Artifact, CheckContext, Checker, Document, Outcome, Result

from .conftest import Asking, digest_of, name_of, refusal

POLICY = """\
policy: heat
version: 1
title: {id: Panas, en: Heat}
documents:
  report: {title: {id: Laporan, en: Report}, count: [1, 1], media_types: [text/plain]}
claims: {}
checks:
  heat: {documents: [report]}
rules: []
accepted: {id: Baik, en: Fine}
"""
HEATMAP = b"\x89PNG\r\n\x1a\n" + bytes(300_000)


class Heat(Checker):
    """Makes an artifact of every text."""

    name = "heat"
    version = "1.0"
    title = "Heat of a text"
    capabilities = TEXT_ONLY

    def check(self, document: Document, context: CheckContext) -> Result:
        heatmap = Artifact(name="heatmap", media_type="image/png", content=HEATMAP)
        return Result(outcome=Outcome.PASS, artifacts=(heatmap,))


@pytest.fixture
async def address(settings: Any) -> AsyncIterator[str]:
    (settings.policies / "heat.yaml").write_text(POLICY)
    async with running_server(settings, (Heat,)) as address:
        yield address


async def test_an_artifact_of_a_validation_can_be_downloaded(
    client: absah.AsyncClient, asking: Asking
) -> None:
    made = await client.validate("heat", report=absah.Text("halo"))
    (artifact,) = made.check_results[0].artifacts
    assert artifact.sha256 == digest_of(HEATMAP)
    assert await client.download(f"documents/{artifact.sha256}") == HEATMAP
    found = await client.document(name_of(HEATMAP))
    assert (found.media_type, found.size_bytes) == ("image/png", len(HEATMAP))


async def test_an_artifact_of_a_job_can_be_downloaded(client: absah.AsyncClient) -> None:
    created = await client.create_validation("heat", report=absah.Text("halo"))
    async with asyncio.timeout(30):
        while not (await client.validation(created.name)).HasField("verdict"):
            await asyncio.sleep(0.05)
    assert await client.download(name_of(HEATMAP)) == HEATMAP


async def test_another_tenant_does_not_see_it(client: absah.AsyncClient, address: str) -> None:
    await client.validate("heat", report=absah.Text("halo"))
    other = Asking(address, tenant="other")
    failed = await refusal(other.download(name_of(HEATMAP)))
    assert failed.reason == "DOCUMENT_NOT_FOUND"
    await other.channel.close()
