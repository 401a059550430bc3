"""A full disk is told of clearly; what was kept stays, and uploads go on once there is room."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

import absah

from .conftest import CHUNK, Asking, messages, name_of, refusal

SMALL = b"halo"
LARGE = bytes(range(256)) * 4096 * 2


@pytest.fixture
def data_folder(tmp_path: Path) -> Iterator[Path]:
    """A file system of one and a half MiB."""
    folder = tmp_path / "data"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1536k", "none", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("a file system cannot be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


async def test_an_upload_that_does_not_fit_is_refused_and_others_go_on(
    asking: Asking, data_folder: Path
) -> None:
    failed = await refusal(asking.upload(messages(LARGE)))
    assert failed.code is grpc.StatusCode.UNAVAILABLE
    assert failed.reason == "STORE_UNAVAILABLE"
    received = (await asking.get(name_of(LARGE))).received_bytes
    assert CHUNK < received < len(LARGE)
    subprocess.run(["mount", "-o", "remount,size=4m", str(data_folder)], check=True)
    await asking.upload(messages(LARGE, offset=received))
    assert await asking.download(name_of(LARGE)) == LARGE


async def test_a_validation_whose_documents_do_not_fit_is_refused(
    client: absah.AsyncClient,
) -> None:
    documents = [bytes([number]) * 2**19 for number in range(97, 101)]
    with pytest.raises(absah.CallFailed) as failed:
        await client.create_validation(checkers=["length"], report=documents)
    assert failed.value.reason == "STORE_UNAVAILABLE"
    assert "no space left" in failed.value.message


async def test_what_was_kept_can_be_read_from_a_full_disk(
    asking: Asking, data_folder: Path
) -> None:
    await asking.upload(messages(SMALL))
    await refusal(asking.upload(messages(LARGE)))
    assert await asking.download(name_of(SMALL)) == SMALL
