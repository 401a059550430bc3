"""Batches are spans that link to their callers, and are counted and timed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from integration.inference.drawing import (
    draw_lookup,
    draw_spin,
    indices,
    occupied,
    serving,
    settled,
    soon,
)
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from absah_sdk import InferenceFailed
from absah_server.inference.telemetry import Providers


def points(reader: InMemoryMetricReader, model: str) -> dict[str, Any]:
    data = reader.get_metrics_data()
    assert data is not None
    return {
        metric.name: point
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        for point in metric.data.data_points
        if dict(point.attributes or {})["absah.model.name"] == model
    }


def batches(exporter: InMemorySpanExporter, model: str) -> list[ReadableSpan]:
    return [
        span
        for span in exporter.get_finished_spans()
        if span.name == "absah.inference.batch"
        and dict(span.attributes or {})["absah.model.name"] == model
    ]


async def test_a_batch_links_to_its_callers_and_is_measured(tmp_path: Path) -> None:
    draw_lookup(tmp_path)
    draw_spin(tmp_path)
    exporter = InMemorySpanExporter()
    tracing = TracerProvider()
    tracing.add_span_processor(SimpleSpanProcessor(exporter))
    reader = InMemoryMetricReader()
    metering = MeterProvider(metric_readers=[reader])
    tracer = tracing.get_tracer("test")

    async def ask(index: int) -> int:
        with tracer.start_as_current_span("caller") as span:
            context = span.get_span_context()
            await inference.infer("lookup", indices(index), deadline=soon())
            return context.span_id

    providers = Providers(tracer=tracing, meter=metering)
    async with serving(tmp_path, providers=providers) as inference:
        async with occupied(inference):
            tasks = [asyncio.create_task(ask(n)) for n in (0, 1, 99)]
            await settled()
        answers = await asyncio.gather(*tasks, return_exceptions=True)

    assert isinstance(answers[2], InferenceFailed)
    callers = {s.context.span_id for s in exporter.get_finished_spans() if s.name == "caller"}
    [batch] = batches(exporter, "lookup")
    assert {link.context.span_id for link in batch.links} == callers
    assert batch.parent is None
    measured = points(reader, "lookup")
    assert measured["absah.inference.batch_size"].sum == 3
    assert measured["absah.inference.queue_time"].count == 3
    assert measured["absah.inference.compute_time"].count == 1
    assert measured["absah.inference.failures"].value == 1
    tracing.shutdown()
    metering.shutdown()


async def test_a_batch_has_a_trace_of_its_own_even_when_one_caller_starts_it(
    tmp_path: Path,
) -> None:
    draw_lookup(tmp_path)
    exporter = InMemorySpanExporter()
    tracing = TracerProvider()
    tracing.add_span_processor(SimpleSpanProcessor(exporter))
    async with serving(tmp_path, providers=Providers(tracer=tracing)) as inference:
        with tracing.get_tracer("test").start_as_current_span("caller") as span:
            await inference.infer("lookup", indices(1), deadline=soon())
    [batch] = batches(exporter, "lookup")
    assert batch.parent is None
    assert [link.context for link in batch.links] == [span.get_span_context()]
    tracing.shutdown()
