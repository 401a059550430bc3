"""Contents are kept before rows refer to them, and each tenant gets back its own."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support import make_settings

from absah_server import storage
from absah_server.core.errors import ContentDamaged, DocumentNotFound
from absah_server.storage import Storage
from absah_server.store import documents
from absah_server.store.documents import KeptContent


@pytest.fixture
async def kept(tmp_path: Path, database_url: str) -> AsyncIterator[Storage]:
    settings = make_settings(
        tmp_path, store={"kind": "postgres"}, database_url=database_url, data=tmp_path / "data"
    )
    async with storage.opened(settings) as opened:
        yield opened


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


async def keep(kept: Storage, content: bytes, *, tenant: str = "default") -> str:
    """Keep a document as a validation does."""
    digest = digest_of(content)
    await kept.keeper.keep([(digest, content)])
    row = KeptContent(digest=digest, size_bytes=len(content), media_type="text/plain")
    async with kept.database.transaction() as connection:
        await documents.keep(connection, tenant, [row])
    return digest


async def test_what_is_kept_comes_back(kept: Storage) -> None:
    digest = await keep(kept, b"halo")
    assert await kept.keeper.fetch("default", digest) == b"halo"


async def test_another_tenants_document_is_not_found(kept: Storage) -> None:
    digest = await keep(kept, b"halo", tenant="east")
    with pytest.raises(DocumentNotFound):
        await kept.keeper.fetch("west", digest)


async def test_a_content_without_a_row_is_nobodys(kept: Storage) -> None:
    await kept.keeper.keep([(digest_of(b"halo"), b"halo")])
    with pytest.raises(DocumentNotFound):
        await kept.keeper.fetch("default", digest_of(b"halo"))


async def test_a_damaged_file_is_named_and_not_served(kept: Storage, tmp_path: Path) -> None:
    digest = await keep(kept, b"halo")
    (tmp_path / "data" / "blobs" / digest[:2] / digest[2:]).write_bytes(b"hall")
    with pytest.raises(ContentDamaged, match=digest):
        await kept.keeper.fetch("default", digest)


async def test_a_truncated_file_is_mended_by_keeping_it_again(
    kept: Storage, tmp_path: Path
) -> None:
    digest = await keep(kept, b"halo")
    (tmp_path / "data" / "blobs" / digest[:2] / digest[2:]).write_bytes(b"ha")
    await keep(kept, b"halo")
    assert await kept.keeper.fetch("default", digest) == b"halo"


async def test_a_document_that_is_not_there_cannot_be_held(kept: Storage) -> None:
    there, absent = await keep(kept, b"halo"), digest_of(b"nothing")
    async with kept.database.transaction() as connection:
        await documents.hold(connection, "default", [there])
        with pytest.raises(DocumentNotFound, match=absent):
            await documents.hold(connection, "default", [there, absent])
