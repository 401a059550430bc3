"""`absah documents` at a terminal and in a pipe."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from absah_ops.main import main

from .conftest import name_of

CONTENT = bytes(range(256)) * 2000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "evidence.bin"
    file.write_bytes(CONTENT)
    return file


async def absah(address: str, *arguments: str) -> Result:
    """Run `absah documents …` in a thread, beside the server."""
    command = ["documents", arguments[0], "--server", address, *arguments[1:]]
    return await asyncio.to_thread(CliRunner().invoke, main, command)


async def test_an_uploaded_file_comes_back(address: str, file: Path, tmp_path: Path) -> None:
    uploaded = await absah(address, "upload", str(file), "--json")
    assert uploaded.exit_code == 0, uploaded.output
    told = json.loads(uploaded.stdout)
    assert told["file"] == str(file)
    assert (told["name"], told["state"]) == (name_of(CONTENT), "READY")

    copy = tmp_path / "copy.bin"
    downloaded = await absah(address, "download", told["name"], "--output", str(copy))
    assert downloaded.exit_code == 0, downloaded.output
    assert copy.read_bytes() == CONTENT


async def test_a_digest_alone_names_a_document(address: str, file: Path) -> None:
    await absah(address, "upload", str(file))
    shown = await absah(address, "show", name_of(CONTENT).partition("/")[2])
    assert shown.exit_code == 0, shown.output
    assert shown.stdout.split("\t")[:3] == [name_of(CONTENT), "READY", f"{len(CONTENT):,}"]


async def test_an_unknown_document_is_told_with_what_to_do(address: str) -> None:
    shown = await absah(address, "show", "0" * 64)
    assert shown.exit_code == 1
    assert "NOT_FOUND" in shown.stderr
    assert "absah documents upload" in shown.stderr


async def test_deleting_asks_first(address: str, file: Path) -> None:
    await absah(address, "upload", str(file))
    assert (await absah(address, "delete", name_of(CONTENT))).exit_code == 1
    assert "READY" in (await absah(address, "show", name_of(CONTENT))).stdout
    assert (await absah(address, "delete", "--yes", name_of(CONTENT))).exit_code == 0
    assert "DELETED" in (await absah(address, "show", name_of(CONTENT))).stdout


async def test_a_purge_tells_what_it_did(address: str) -> None:
    purged = await absah(address, "purge", "--dry-run", "--json")
    assert purged.exit_code == 0, purged.output
    told = json.loads(purged.stdout)
    assert told == {
        "dry_run": True,
        "erased_validations": 0,
        "deleted_documents": 0,
        "deleted_bytes": 0,
        "removed_contents": 0,
        "removed_uploads": 0,
    }
