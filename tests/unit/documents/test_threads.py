"""Work on files is run to its end, and its errors say what they mean."""

from __future__ import annotations

import asyncio
import errno
import threading

import pytest

from absah_server.blobs.threads import Threads
from absah_server.core.errors import StoreFull, StoreUnavailable


async def test_who_is_cancelled_waits_for_the_end() -> None:
    threads = Threads("the folder of tests")
    began, go_on, ended = threading.Event(), threading.Event(), []

    def work() -> None:
        began.set()
        go_on.wait()
        ended.append(True)

    running = asyncio.create_task(threads.run(work))
    await asyncio.to_thread(began.wait)
    running.cancel()
    await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.sleep(0.01)
    assert not running.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert ended == [True]
    await threads.close()


@pytest.mark.parametrize(
    ("number", "kind", "words"),
    [
        (errno.ENOSPC, StoreFull, "no space left"),
        (errno.EDQUOT, StoreFull, "no space left"),
        (errno.EIO, StoreUnavailable, "cannot be reached"),
    ],
)
async def test_an_error_of_the_disk_names_the_folder(
    number: int, kind: type[StoreUnavailable], words: str
) -> None:
    threads = Threads("the folder of tests")

    def work() -> None:
        raise OSError(number, "as the kernel says")

    with pytest.raises(kind, match=f"the folder of tests .*{words}"):
        await threads.run(work)
    await threads.close()
