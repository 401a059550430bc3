"""Requests are batched, cut, bounded and, where they fail, fail for the reason that Triton gave."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from integration.inference.drawing import ENDLESS, floats, indices, soon
from integration.triton.asking import TURNS, asking, client_of, executions
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from absah_ops.triton.server import TritonServer
from absah_sdk import DeadlinePassed, InferenceFailed
from absah_server.core.errors import ModelUnknown, Overloaded
from absah_server.inference.repository import read_model
from absah_server.inference.telemetry import Providers
from absah_server.inference.triton.failures import Kind, ServerFailure
from absah_server.inference.triton.server import Server


async def test_requests_that_come_together_run_as_a_batch_where_the_config_says_so(
    drawn_triton: TritonServer, drawn_repository: Path
) -> None:
    async with asking(drawn_repository, drawn_triton) as inference:
        for model in ("double", "plain"):
            answers = await asyncio.gather(
                *(inference.infer(model, floats(row), deadline=soon()) for row in range(8))
            )
            assert [answer["y"].item() for answer in answers] == [2.0 * row for row in range(8)]
    assert max(await executions(drawn_triton, "double")) > 1
    assert set(await executions(drawn_triton, "plain")) == {1}


async def test_a_request_larger_than_a_batch_is_cut_and_joined(
    drawn_triton: TritonServer, drawn_repository: Path
) -> None:
    rows = [float(row) for row in range(20)]
    async with asking(drawn_repository, drawn_triton) as inference:
        answer = await inference.infer("plain", floats(*rows, size=3), deadline=soon())
    np.testing.assert_array_equal(answer["y"], 2 * floats(*rows, size=3)["x"])
    assert max(await executions(drawn_triton, "plain")) <= 8


async def test_a_bad_request_fails_alone_of_its_batch(
    drawn_triton: TritonServer, drawn_repository: Path
) -> None:
    async with asking(drawn_repository, drawn_triton) as inference:
        answers = await asyncio.gather(
            *(inference.infer("lookup", indices(row), deadline=soon()) for row in (0, 1, 99, 2)),
            return_exceptions=True,
        )
    assert isinstance(answers[2], InferenceFailed)
    good = [answer["y"].item() for answer in answers if not isinstance(answer, BaseException)]
    assert good == [10.0, 11.0, 12.0]


async def test_a_model_that_answers_no_batch_item_by_item_mixes_no_requests(
    drawn_triton: TritonServer, drawn_repository: Path
) -> None:
    async with asking(drawn_repository, drawn_triton) as inference:
        answers = await asyncio.gather(
            *(inference.infer("first", floats(row), deadline=soon()) for row in range(4))
        )
        assert [answer["y"].tolist() for answer in answers] == [[[0.0]], [[1.0]], [[2.0]], [[3.0]]]
        with pytest.raises(InferenceFailed, match="failed on the request"):
            await inference.infer("first", floats(1, 2), deadline=soon())


async def test_an_unknown_model_or_version_is_named(
    drawn_triton: TritonServer, drawn_repository: Path
) -> None:
    async with asking(drawn_repository, drawn_triton) as inference:
        for address in ("nothing", "double@7"):
            with pytest.raises(ModelUnknown, match=address):
                await inference.infer(address, floats(1.0), deadline=soon())
        answer = await inference.infer("double@1", floats(1.0), deadline=soon())
        assert answer["y"].item() == 2.0


async def test_tensors_that_do_not_fit_are_refused_before_they_are_sent(
    drawn_triton: TritonServer, drawn_repository: Path
) -> None:
    async with asking(drawn_repository, drawn_triton) as inference:
        with pytest.raises(InferenceFailed, match="float32, not int64"):
            await inference.infer("double", indices(1), deadline=soon())


async def test_what_triton_says_is_told_apart(
    drawn_triton: TritonServer, drawn_repository: Path
) -> None:
    (double,) = read_model(drawn_repository / "double")
    (lookup,) = read_model(drawn_repository / "lookup")
    server = Server(drawn_triton.grpc_address, changed=lambda: None)

    async def kind(model: object, inputs: object, seconds: float = 5.0) -> Kind:
        with pytest.raises(ServerFailure) as caught:
            await server.infer(model, inputs, timeout_seconds=seconds)  # type: ignore[arg-type]
        return caught.value.kind

    assert await kind(replace(double, version="7"), floats(1.0)) is Kind.MISSING
    assert await kind(replace(double, name="nothing"), floats(1.0)) is Kind.MISSING
    assert await kind(double, floats(*range(9))) is Kind.REFUSED
    assert await kind(lookup, indices(99)) in (Kind.REFUSED, Kind.FAILED)
    assert await kind(double, floats(1.0), seconds=0.01) is Kind.LATE
    await server.close()
    nowhere = Server("127.0.0.1:9", changed=lambda: None)
    server = nowhere
    assert await kind(double, floats(1.0)) is Kind.LOST
    await nowhere.close()


async def test_a_deadline_reaches_the_server_and_one_that_has_passed_sends_nothing(
    drawn_triton: TritonServer, drawn_repository: Path
) -> None:
    loop = asyncio.get_running_loop()
    async with asking(drawn_repository, drawn_triton) as inference, client_of(drawn_triton) as own:
        with pytest.raises(DeadlinePassed):
            await inference.infer("spin", indices(TURNS), deadline=loop.time() + 0.05)
        await inference.infer("spin", indices(1), deadline=soon())
        (before,) = (await own.get_inference_statistics("spin")).model_stats
        with pytest.raises(DeadlinePassed):
            await inference.infer("spin", indices(1), deadline=loop.time())
        (after,) = (await own.get_inference_statistics("spin")).model_stats
        assert after.inference_count - before.inference_count <= 1  # a probe at most
        assert inference.statistics()[-1].dropped == 2


async def test_a_full_queue_refuses_at_once_and_says_when_to_come_back(
    drawn_triton: TritonServer, drawn_repository: Path
) -> None:
    async with asking(
        drawn_repository, drawn_triton, max_in_flight=1, max_queue_size=1
    ) as inference:
        running = [
            asyncio.create_task(inference.infer("spin", indices(TURNS), deadline=soon()))
            for _ in range(2)
        ]
        await asyncio.sleep(0)
        with pytest.raises(Overloaded) as caught:
            await inference.infer("spin", indices(1), deadline=soon())
        assert caught.value.retry_after_seconds > 0
        for each in running:
            assert (await each)["y"].item() == TURNS


async def test_a_queue_that_is_full_at_triton_refuses_too(
    drawn_triton: TritonServer, drawn_repository: Path
) -> None:
    async with asking(drawn_repository, drawn_triton) as inference:
        answers = await asyncio.gather(
            *(inference.infer("short", indices(TURNS), deadline=soon()) for _ in range(6)),
            return_exceptions=True,
        )
    refused = [answer for answer in answers if isinstance(answer, BaseException)]
    assert all(isinstance(each, Overloaded) for each in refused)
    assert 0 < len(refused) < 6


async def test_a_caller_who_leaves_frees_its_place(
    drawn_triton: TritonServer, drawn_repository: Path
) -> None:
    async with asking(
        drawn_repository, drawn_triton, max_in_flight=1, max_queue_size=1
    ) as inference:
        running = asyncio.create_task(inference.infer("spin", indices(TURNS), deadline=soon()))
        waiting = asyncio.create_task(inference.infer("spin", indices(ENDLESS), deadline=soon()))
        await asyncio.sleep(0.05)
        waiting.cancel()
        await asyncio.wait([waiting])
        answer = await inference.infer("spin", indices(3), deadline=soon())
        assert answer["y"].item() == 3
        assert (await running)["y"].item() == TURNS


async def test_requests_after_the_close_fail_and_those_before_it_are_answered(
    drawn_triton: TritonServer, drawn_repository: Path
) -> None:
    async with asking(drawn_repository, drawn_triton) as inference:
        running = asyncio.create_task(inference.infer("spin", indices(TURNS), deadline=soon()))
        await asyncio.sleep(0.05)
        await inference.close()
        assert (await running)["y"].item() == TURNS
        with pytest.raises(ModelUnknown):
            await inference.infer("spin", indices(1), deadline=soon())


async def test_requests_are_spans_of_their_callers_and_are_counted(
    drawn_triton: TritonServer, drawn_repository: Path
) -> None:
    spans, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracers, meters = TracerProvider(), MeterProvider([reader])
    tracers.add_span_processor(SimpleSpanProcessor(spans))
    providers = Providers(tracer=tracers, meter=meters)
    async with asking(drawn_repository, drawn_triton, providers=providers) as inference:
        with tracers.get_tracer("test").start_as_current_span("check") as caller:
            await inference.infer("double", floats(1.0), deadline=soon())
        with pytest.raises(InferenceFailed):
            await inference.infer("lookup", indices(99), deadline=soon())
    asked = [span for span in spans.get_finished_spans() if span.name == "absah.inference.request"]
    assert asked[0].parent is not None
    assert asked[0].parent.span_id == caller.get_span_context().span_id
    assert asked[0].attributes is not None
    assert asked[0].attributes["server.address"] == drawn_triton.grpc_address
    assert [span.status.status_code for span in asked] == [StatusCode.UNSET, StatusCode.ERROR]
    metrics = reader.get_metrics_data()
    assert metrics is not None
    told = {
        metric.name
        for resource in metrics.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }
    assert told == {"absah.inference.request_time", "absah.inference.request_failures"}
