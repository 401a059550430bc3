"""Servers and their processes are killed: requests go on or fail clearly, and health tells it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from integration.inference.drawing import ENDLESS, draw_double, draw_spin, floats, indices, soon
from integration.triton.asking import QUICK, TURNS, asking, client_of, executions
from integration.triton.conftest import INSTANCE
from support import Length, make_settings, running_server

from absah_ops.triton import server
from absah_ops.triton.server import Control, TritonServer
from absah_sdk import AbsahError, InferenceFailed
from absah_server.inference.triton.inference import TritonInference

WORKERS = 8
DEADLINE_SECONDS = 20.0


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    draw_double(folder, more=INSTANCE)
    return folder


class Load:
    """Requests without a pause, by several workers; every answer is checked."""

    def __init__(self, inference: TritonInference, model: str = "double") -> None:
        self._inference = inference
        self._model = model
        self._stop = asyncio.Event()
        self._workers: list[asyncio.Task[None]] = []
        self.answered = 0
        self.failures: list[AbsahError] = []

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Load]:
        """Ask until the block ends; no request may outlast its deadline."""
        self._workers = [asyncio.create_task(self._work()) for _ in range(WORKERS)]
        try:
            yield self
        finally:
            await self.end()

    async def end(self) -> None:
        """Ask no more, and wait for the answers."""
        self._stop.set()
        async with asyncio.timeout(DEADLINE_SECONDS + 10):
            await asyncio.gather(*self._workers)

    async def answers(self, count: int) -> None:
        """Wait for this many more answers."""
        wanted = self.answered + count
        await until(lambda: self.answered >= wanted)

    async def _work(self) -> None:
        number = 0
        while not self._stop.is_set():
            number += 1
            try:
                answer = await self._inference.infer(
                    self._model, floats(float(number)), deadline=soon(DEADLINE_SECONDS)
                )
            except AbsahError as exc:
                self.failures.append(exc)
            else:
                assert answer["y"].item() == 2.0 * number
                self.answered += 1


async def until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


@asynccontextmanager
async def again(repository: Path, killed: TritonServer) -> AsyncIterator[TritonServer]:
    """A server where another was killed; it starts beside whatever the event loop does."""
    with contextlib.ExitStack() as stack:
        running = server.running(repository, ports=killed.options)
        yield await asyncio.to_thread(stack.enter_context, running)


async def test_a_server_killed_and_restarted_under_load_loses_no_request(repository: Path) -> None:
    with server.running(repository) as triton:
        async with asking(repository, triton, patience_seconds=15.0) as inference:
            async with Load(inference).running() as load:
                await load.answers(50)
                triton.kill()
                await until(lambda: not inference.available)
                assert "cannot be reached" in str(inference.errors[0])
                async with again(repository, triton):
                    await until(lambda: inference.available)
                    await load.answers(50)
                    assert not inference.errors
                    await load.end()
            assert not load.failures


async def test_a_server_that_stays_away_makes_requests_fail_clearly(repository: Path) -> None:
    with server.running(repository) as triton:
        async with asking(repository, triton, patience_seconds=0.2) as inference:
            await inference.infer("double", floats(1.0), deadline=soon())
            triton.kill()
            for _ in range(3):
                with pytest.raises(InferenceFailed, match=f"{triton.grpc_address}.*be reached"):
                    await inference.infer("double", floats(1.0), deadline=soon(5.0))
            assert not inference.available


async def test_of_two_servers_one_dies_and_requests_go_on(repository: Path) -> None:
    with server.running(repository) as first, server.running(repository) as second:
        # Without looks of the watch's own, so that only requests are counted.
        seldom = replace(QUICK, interval_seconds=60.0)
        async with asking(repository, first, second, watching=seldom) as inference:
            async with Load(inference).running() as load:
                for each in (first, second):
                    while (await executions(each, "double")).get(1, 0) < 20:
                        await load.answers(10)
                first.kill()
                await load.answers(100)
                assert inference.available
                await load.end()
            assert not load.failures


async def test_a_server_that_is_lost_in_the_midst_of_a_request_is_replaced_by_another(
    tmp_path: Path,
) -> None:
    draw_spin(tmp_path, max_batch_size=1, more=INSTANCE)
    with server.running(tmp_path) as first, server.running(tmp_path) as second:
        async with asking(tmp_path, first, second) as inference:
            asked = [
                asyncio.create_task(inference.infer("spin", indices(TURNS), deadline=soon()))
                for _ in range(2)
            ]
            await asyncio.sleep(0.05)
            first.kill()
            for answer in await asyncio.gather(*asked):
                assert answer["y"].item() == TURNS


async def test_a_killed_process_of_a_model_is_noticed_though_triton_calls_it_ready(
    repository: Path,
) -> None:
    with server.running(repository, control=Control.NONE) as triton:
        async with asking(repository, triton, patience_seconds=0.2) as inference:
            assert inference.available
            (stub,) = triton.stub_pids("double")
            os.kill(stub, signal.SIGKILL)
            await until(lambda: not inference.available)
            async with client_of(triton) as own:
                assert await own.is_model_ready("double")
            with pytest.raises(InferenceFailed, match="process"):
                await inference.infer("double", floats(1.0), deadline=soon())


async def test_a_killed_process_of_a_model_is_replaced_where_models_may_be_loaded(
    repository: Path,
) -> None:
    with server.running(repository) as triton:
        async with asking(repository, triton, patience_seconds=15.0) as inference:
            (stub,) = triton.stub_pids("double")
            os.kill(stub, signal.SIGKILL)
            # Without any look of the watch's own: the request finds out, and waits.
            answer = await inference.infer("double", floats(1.0), deadline=soon())
            assert answer["y"].item() == 2.0
            assert triton.stub_pids("double") not in ([], [stub])


@pytest.mark.parametrize("background", [True, False])
async def test_a_version_whose_process_was_killed_takes_no_other_with_it(
    repository: Path, background: bool
) -> None:
    draw_double(repository, version=2, factor=3.0, more=INSTANCE)
    with server.running(repository) as triton:
        settings = {"pins": {"double": "1"}, "patience_seconds": 15.0}
        async with asking(repository, triton, **settings) as inference:
            await inference.load("double", "2", background=background)
            serving, (killed,) = triton.stub_pids("double/1"), triton.stub_pids("double/2")
            async with Load(inference, "double@1").running() as load:
                await load.answers(10)
                os.kill(killed, signal.SIGKILL)
                if background:
                    with pytest.raises(InferenceFailed, match="process"):
                        await inference.infer("double@2", floats(1.0), deadline=soon())
                    # Looks of the watch pass, and none of them brings it back.
                    await asyncio.sleep(3 * QUICK.interval_seconds)
                    assert triton.stub_pids("double/2") == []
                    await inference.load("double", "2")
                answer = await inference.infer("double@2", floats(1.0), deadline=soon())
                assert answer["y"].item() == 3.0
                await load.answers(10)
                await load.end()
            assert not load.failures
            assert triton.stub_pids("double/1") == serving


async def test_a_request_that_ends_its_process_gets_one_more_and_no_third(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    draw_spin(tmp_path, max_batch_size=1, more=INSTANCE)
    caplog.set_level(logging.INFO, logger="absah_server.inference.triton.inference")
    with server.running(tmp_path) as triton:
        async with asking(tmp_path, triton, patience_seconds=30.0) as inference:
            asked = asyncio.create_task(inference.infer("spin", indices(ENDLESS), deadline=soon()))
            killed: set[int] = set()
            while not asked.done():
                await asyncio.sleep(0.5)
                for stub in set(triton.stub_pids("spin")) - killed:
                    os.kill(stub, signal.SIGKILL)
                    killed.add(stub)
            with pytest.raises(InferenceFailed, match="process"):
                await asked
    assert [r.message for r in caplog.records].count("inference asked again") == 1


async def test_health_of_the_platform_follows_triton(tmp_path: Path, repository: Path) -> None:
    with server.running(repository) as triton:
        settings = make_settings(
            tmp_path,
            inference={
                "model_repository": repository,
                "backend": "triton",
                "triton": {"addresses": [triton.grpc_address], "probe_interval_seconds": 0.3},
            },
        )
        async with (
            running_server(settings, [Length]) as address,
            grpc.aio.insecure_channel(address) as channel,
        ):
            health = health_pb2_grpc.HealthStub(channel)
            validations, policies = (
                health.Watch(health_pb2.HealthCheckRequest(service=f"absah.v1.{name}Service"))
                for name in ("Validation", "Policy")
            )
            assert await told(validations) == "SERVING"
            triton.kill()
            assert await told(validations) == "NOT_SERVING"
            async with again(repository, triton):
                assert await told(validations) == "SERVING"
            assert await told(policies) == "SERVING"
            validations.cancel()
            policies.cancel()


async def told(watched: Any) -> str:
    """The next status that a health watch tells, past those of a server that is starting."""
    async with asyncio.timeout(30):
        while True:
            status = (await watched.read()).status
            name: str = health_pb2.HealthCheckResponse.ServingStatus.Name(status)
            if name != "SERVICE_UNKNOWN":
                return name
