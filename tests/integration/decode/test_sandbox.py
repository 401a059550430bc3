"""The sandbox does what is asked, and survives what it is asked to read."""

from __future__ import annotations

import asyncio
import gc
import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from absah_sdk import DeadlinePassed, DocumentUnreadable
from absah_server.decode.answers import IsolatedCallFailed
from absah_server.decode.limits import MIB, DecodeLimits
from absah_server.decode.sandbox import ProcessSandbox

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_photo_decodes_to_the_pixels_that_pillow_gives(sandbox, soon, photo):
    decoded = await sandbox.decode(photo, "image/jpeg", deadline=soon())
    (page,) = decoded.pages
    assert np.array_equal(page.pixels, np.asarray(Image.open(io.BytesIO(photo))))
    assert page.size == (64, 48)
    assert decoded.frames == 1


async def test_pixels_are_read_only_and_outlive_their_release(sandbox, soon, photo):
    decoded = await sandbox.decode(photo, "image/jpeg", deadline=soon())
    pixels = decoded.pages[0].pixels
    before = int(pixels.sum())
    decoded.release()
    del decoded
    gc.collect()
    assert int(pixels.sum()) == before
    with pytest.raises(ValueError, match="read-only"):
        pixels[0, 0, 0] = 1


async def test_released_pages_leave_no_memory_mapped(sandbox, soon, photo):
    decoded = await sandbox.decode(photo, "image/jpeg", deadline=soon())
    assert "absah-out" in Path("/proc/self/maps").read_text()
    decoded.release()
    gc.collect()
    assert "absah-out" not in Path("/proc/self/maps").read_text()


async def test_many_documents_at_once_are_all_decoded(sandbox, soon, photo):
    jobs = [sandbox.decode(photo, "image/jpeg", deadline=soon()) for _ in range(20)]
    assert {d.pages[0].size for d in await asyncio.gather(*jobs)} == {(64, 48)}


async def test_an_isolated_function_returns_its_value(sandbox, soon, parsers):
    value = await sandbox.isolate(parsers.measure, (b"abcd",), deadline=soon())
    assert value["length"] == 4
    assert value["halves"] == (b"ab", b"cd")
    assert np.array_equal(value["rows"], np.eye(3))


async def test_a_refusal_comes_back_in_its_own_words(sandbox, soon, parsers):
    with pytest.raises(DocumentUnreadable, match="3 bytes are not enough"):
        await sandbox.isolate(parsers.refuse, (b"abc",), deadline=soon())


async def test_any_other_error_comes_back_by_name_without_its_text(sandbox, soon, parsers):
    with pytest.raises(IsolatedCallFailed) as caught:
        await sandbox.isolate(parsers.stumble, (b"3201010101010001",), deadline=soon())
    assert caught.value.error == "KeyError"
    assert "3201" not in str(caught.value)


async def test_a_function_that_no_process_can_find_is_refused(sandbox, soon):
    with pytest.raises(TypeError, match="module-level"):
        await sandbox.isolate(lambda: 1, (), deadline=soon())


async def test_eating_memory_ends_the_job_alone(soon, parsers, photo):
    # On a busy machine, to be given so much memory may take seconds of processor time.
    limits = DecodeLimits(memory_bytes=512 * MIB, cpu_seconds=20, wall_seconds=30)
    sandbox = ProcessSandbox(limits, workers=1)
    await sandbox.start()
    try:
        with pytest.raises(DocumentUnreadable, match="512 MiB of memory"):
            await sandbox.isolate(parsers.eat_memory, (1 << 24,), deadline=soon())
        assert (await sandbox.decode(photo, "image/jpeg", deadline=soon())).pages
    finally:
        await sandbox.close()


async def test_an_endless_computation_ends_by_its_processor_time(sandbox, soon, parsers):
    with pytest.raises(DocumentUnreadable, match="1 seconds of processor time"):
        await sandbox.isolate(parsers.spin, (), deadline=soon())


@pytest.mark.parametrize("crash", ["overwrite_null", "abort"])
async def test_a_crash_ends_the_job_alone(sandbox, soon, parsers, photo, crash):
    function = getattr(parsers, crash, os.abort)
    with pytest.raises(DocumentUnreadable, match="crash"):
        await sandbox.isolate(function, (), deadline=soon())
    assert (await sandbox.decode(photo, "image/jpeg", deadline=soon())).pages


async def test_a_neighbour_of_a_crash_is_not_harmed(sandbox, soon, parsers):
    crash = sandbox.isolate(parsers.overwrite_null, (), deadline=soon())
    sleep = sandbox.isolate(parsers.sleep, (0.2,), deadline=soon())
    crashed, slept = await asyncio.gather(crash, sleep, return_exceptions=True)
    assert isinstance(crashed, DocumentUnreadable)
    assert slept == 0.2


async def test_a_passed_deadline_kills_the_process(sandbox, soon, parsers, photo):
    jobs = [
        sandbox.isolate(parsers.sleep, (600,), deadline=asyncio.get_running_loop().time() + 0.2)
        for _ in range(2)
    ]
    outcomes = await asyncio.gather(*jobs, return_exceptions=True)
    assert all(isinstance(outcome, DeadlinePassed) for outcome in outcomes)
    assert (await sandbox.decode(photo, "image/jpeg", deadline=soon())).pages


async def test_a_deadline_passes_while_waiting_for_a_place(sandbox, soon, parsers):
    busy = [
        asyncio.create_task(sandbox.isolate(parsers.sleep, (0.6,), deadline=soon()))
        for _ in range(2)
    ]
    await asyncio.sleep(0.1)
    with pytest.raises(DeadlinePassed):
        late = asyncio.get_running_loop().time() + 0.1
        await sandbox.isolate(parsers.sleep, (0,), deadline=late)
    assert await asyncio.gather(*busy) == [0.6, 0.6]


async def test_cancelled_jobs_free_their_places(sandbox, soon, parsers, photo):
    jobs = [
        asyncio.create_task(sandbox.isolate(parsers.sleep, (600,), deadline=soon()))
        for _ in range(6)
    ]
    await asyncio.sleep(0.1)
    for job in jobs:
        job.cancel()
    assert all(
        isinstance(outcome, asyncio.CancelledError)
        for outcome in await asyncio.gather(*jobs, return_exceptions=True)
    )
    assert (await sandbox.decode(photo, "image/jpeg", deadline=soon())).pages


async def test_each_job_has_a_process_of_its_own(sandbox, soon, parsers):
    pids = [await sandbox.isolate(parsers.identity, (), deadline=soon()) for _ in range(5)]
    assert len(set(pids)) == 5
    assert os.getpid() not in pids
