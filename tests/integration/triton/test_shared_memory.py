"""Large tensors go through memory shared with the server, and nothing of it is left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from integration.inference.drawing import draw_double, draw_spin, indices, save_graph, soon
from integration.triton.asking import QUICK, TURNS, asking, client_of
from integration.triton.conftest import INSTANCE
from onnx import TensorProto, helper

from absah_ops.triton import server
from absah_ops.triton.server import TritonServer
from absah_server.inference.triton import shared_memory
from absah_server.inference.triton.shared_memory import RegionPool

SHARED = replace(QUICK, shared_memory_bytes=64 << 20, shared_memory_min_bytes=0)
MEBIBYTE = 1 << 20


def draw_count(repository: Path) -> None:
    """y = 0, 1, 2 … below x: an output whose size the shape of the input does not tell."""
    constants = {"start": 0, "step": 1}
    save_graph(
        repository / "count" / "1" / "model.onnx",
        [
            *(
                helper.make_node(
                    "Constant",
                    [],
                    [name],
                    value=helper.make_tensor(name, TensorProto.INT64, [], [n]),
                )
                for name, n in constants.items()
            ),
            helper.make_node("ReduceMax", ["x"], ["end"], keepdims=0),
            helper.make_node("Range", ["start", "end", "step"], ["y"]),
        ],
        [("x", TensorProto.INT64, [1])],
        [("y", TensorProto.INT64, ["count"])],
    )
    (repository / "count" / "config.pbtxt").write_text(
        'backend: "onnxruntime" max_batch_size: 0 '
        'input [ { name: "x" data_type: TYPE_INT64 dims: [ 1 ] } ] '
        f'output [ {{ name: "y" data_type: TYPE_INT64 dims: [ -1 ] }} ] {INSTANCE}'
    )


def large(number: float, size_bytes: int = MEBIBYTE) -> dict[str, Any]:
    return {"x": np.full((1, size_bytes // 4), number, np.float32)}


async def regions(running: TritonServer) -> list[int]:
    """The sizes of the regions that Triton has mapped."""
    async with client_of(running) as own:
        status = await own.get_system_shared_memory_status()
    return sorted(region.byte_size for region in status.regions.values())


def files() -> list[str]:
    return [path.name for path in shared_memory.FOLDER.glob("absah.*")]


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shared")
    draw_double(folder, more=INSTANCE)
    draw_count(folder)
    draw_spin(folder, max_batch_size=1, more=INSTANCE)
    return folder


@pytest.fixture(scope="module")
def running(repository: Path) -> Iterator[TritonServer]:
    with server.running(repository) as started:
        yield started


async def test_large_requests_share_regions_and_a_close_undoes_them(
    running: TritonServer, repository: Path
) -> None:
    async with asking(repository, running, watching=SHARED) as inference:
        for _ in range(2):  # the second time for the outputs too
            answers = await asyncio.gather(
                *(inference.infer("double", large(n), deadline=soon()) for n in range(4))
            )
            for n, answer in enumerate(answers):
                np.testing.assert_array_equal(answer["y"], 2 * large(n)["x"])
        assert len(await regions(running)) >= 4
        assert not files(), "their names are gone though they are in use"
    assert not await regions(running)


async def test_an_answer_stays_as_it_was_when_its_region_is_used_again(
    running: TritonServer, repository: Path
) -> None:
    async with asking(repository, running, watching=SHARED) as inference:
        kept = [await inference.infer("double", large(n), deadline=soon()) for n in (1, 2, 3)]
    assert [float(answer["y"].max()) for answer in kept] == [2.0, 4.0, 6.0]


async def test_an_output_larger_than_the_last_of_its_kind_is_sent_instead(
    running: TritonServer, repository: Path
) -> None:
    async with asking(repository, running, watching=SHARED) as inference:
        for count in (3, 3, 5000, 7, 7):
            answer = await inference.infer("count", {"x": np.array([count])}, deadline=soon())
            np.testing.assert_array_equal(answer["y"], np.arange(count))


async def test_what_exceeds_the_memory_that_may_be_shared_is_sent(
    running: TritonServer, repository: Path
) -> None:
    watching = replace(SHARED, shared_memory_bytes=2 * MEBIBYTE)
    async with asking(repository, running, watching=watching) as inference:
        for size in (MEBIBYTE // 2, 8 * MEBIBYTE, MEBIBYTE // 4):
            answer = await inference.infer("double", large(1.0, size), deadline=soon())
            assert answer["y"].nbytes == size
            assert (answer["y"] == 2.0).all()
        assert sum(await regions(running)) <= 2 * MEBIBYTE


async def test_a_region_of_a_caller_who_left_is_not_used_again(
    running: TritonServer, repository: Path
) -> None:
    async with asking(repository, running, watching=SHARED) as inference:
        await inference.infer("spin", indices(2), deadline=soon())
        asked = asyncio.create_task(inference.infer("spin", indices(TURNS), deadline=soon()))
        await asyncio.sleep(0.05)
        asked.cancel()
        await asyncio.wait([asked])
        # What the server writes late for the caller who left must not meet a later one's answer.
        answers = [await inference.infer("spin", indices(n), deadline=soon()) for n in (3, 4, 5)]
        assert [answer["y"].item() for answer in answers] == [3, 4, 5]
    assert not await regions(running)


async def test_a_server_that_cannot_map_our_memory_is_sent_everything(
    running: TritonServer, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As with a server of another host or container: files elsewhere, which it does not find.
    monkeypatch.setattr(shared_memory, "FOLDER", tmp_path)
    async with asking(repository, running, watching=SHARED) as inference:
        answer = await inference.infer("double", large(1.0), deadline=soon())
        assert (answer["y"] == 2.0).all()
        assert not await regions(running)
    assert not [*tmp_path.iterdir()]


async def test_a_restarted_server_is_shared_memory_with_again(repository: Path) -> None:
    with server.running(repository) as first:
        async with asking(repository, first, watching=SHARED, patience_seconds=15.0) as inference:
            for _ in range(2):
                await inference.infer("double", large(1.0), deadline=soon())
            first.kill()
            with server.running(repository, ports=first.options) as second:
                for number in range(20):
                    answer = await inference.infer("double", large(number), deadline=soon())
                    assert (answer["y"] == 2.0 * number).all()
                    if await regions(second):
                        break
                    await asyncio.sleep(0.2)
                assert await regions(second)


async def test_what_a_broken_connection_shared_is_undone_by_the_next(running: TritonServer) -> None:
    async with client_of(running) as own:
        broken = RegionPool(own, max_bytes=8 * MEBIBYTE)
        lent = await broken.borrow(MEBIBYTE)
        assert lent is not None
        names = broken.forget()
        broken.give_back(lent)
        assert await regions(running) == [MEBIBYTE]
        await RegionPool(own, max_bytes=MEBIBYTE).unregister_left_behind(names)
        assert not await regions(running)


CRASHING = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from integration.triton.test_shared_memory import SHARED, large
from absah_server.inference.triton.inference import TritonInference

async def main():
    inference = TritonInference(Path(sys.argv[1]), addresses=(sys.argv[2],), watching=SHARED)
    await inference.start()
    await inference.infer("double", large(1.0), deadline=asyncio.get_running_loop().time() + 30)
    print("asked", flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


async def test_what_a_crashed_client_shared_is_undone_by_the_next(
    running: TritonServer, repository: Path
) -> None:
    tests = str(Path(__file__).parents[2])
    crashing = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", CRASHING, str(repository), running.grpc_address, tests),
        stdout=asyncio.subprocess.PIPE,
    )
    assert crashing.stdout is not None
    assert await crashing.stdout.readline() == b"asked\n"
    os.kill(crashing.pid, signal.SIGKILL)
    await crashing.wait()
    assert not files()
    assert await regions(running), "Triton still maps what it shared with the crashed one"
    async with asking(repository, running, watching=SHARED):
        pass
    assert not await regions(running)
