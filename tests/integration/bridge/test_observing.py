"""Those who watch see what the bridge does: traces, metrics, health; and TLS proves who is who."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bridging import (
    LONG,
    answers_of,
    eventually,
    make_config,
    message,
    played,
    queue_of,
    running_bridge,
    running_core,
    write,
)
from legacy import LegacyProgram
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from rabbitmq import RabbitMq, free_ports

import absah
from absah_bridge import run
from absah_bridge.delivery import amqp, brokers
from absah_bridge.delivery import tracing as bridge_tracing
from absah_server.telemetry import tracing as server_tracing

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


def asked(queue: str, **properties: Any) -> Any:
    """A program's part: send a message and read its answer's headers."""

    def play(program: LegacyProgram) -> Any:
        program.declare(answers_of(queue))
        program.send(queue, message(1), **properties)
        return program.receive(answers_of(queue))[0].headers

    return play


async def test_a_trace_goes_on_in_the_answer_where_nobody_collects_it(
    tmp_path: Path, core: str, broker: str
) -> None:
    config = make_config(core, broker)
    headers = {"traceparent": PARENT, "tracestate": "a=b"}
    async with running_bridge(tmp_path, config):
        answered = await played(broker, asked(queue_of(config), headers=headers))
    assert answered["traceparent"].split("-")[1] == TRACE
    assert answered["tracestate"] == "a=b"


async def test_a_message_without_a_trace_is_answered_without_one(
    tmp_path: Path, core: str, broker: str
) -> None:
    config = make_config(core, broker)
    async with running_bridge(tmp_path, config):
        answered = await played(broker, asked(queue_of(config)))
    assert "traceparent" not in (answered or {})


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    """What is collected; a provider can be set once only, but by its private name."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    for module in (bridge_tracing, server_tracing):
        monkeypatch.setattr(module, "_tracer", provider.get_tracer("absah"))
    yield exporter
    provider.shutdown()


async def test_the_span_of_a_message_is_of_the_trace_that_the_message_names(
    tmp_path: Path, core: str, broker: str, spans: InMemorySpanExporter
) -> None:
    config = make_config(core, broker)
    async with running_bridge(tmp_path, config):
        answered = await played(
            broker, asked(queue_of(config), headers={"traceparent": PARENT.encode()})
        )
        await eventually(lambda: of_name(spans, "message"))
    (span,) = of_name(spans, "message")
    assert trace.format_trace_id(span.context.trace_id) == TRACE
    assert span.attributes and span.attributes["absah.system"] == "simpeg"
    assert answered["traceparent"].split("-")[2] == trace.format_span_id(span.context.span_id)


async def test_the_core_carries_on_the_trace_that_a_call_names(
    core: str, spans: InMemorySpanExporter
) -> None:
    async with absah.AsyncClient(core, metadata=lambda: [("traceparent", PARENT)]) as client:
        await client.validate("short-report", report=absah.Text(LONG))
    (span,) = of_name(spans, "validation")
    assert trace.format_trace_id(span.context.trace_id) == TRACE


def of_name(spans: InMemorySpanExporter, name: str) -> list[ReadableSpan]:
    """Finished spans of a name."""
    return [span for span in spans.get_finished_spans() if span.name == name]


async def test_metrics_tell_what_became_of_messages(tmp_path: Path, core: str, broker: str) -> None:
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    metrics.set_meter_provider(provider)
    config = make_config(core, broker)
    queue = queue_of(config)

    def legacy(program: LegacyProgram) -> None:
        program.send(queue, b"{")
        program.headers_of_parked(queue)
        asked(queue)(program)

    async with running_bridge(tmp_path, config) as status:
        await played(broker, legacy)
        await eventually(lambda: not status.consumers["simpeg"].under_way and status.queued)
        points = read(reader)
    assert points["absah.bridge.messages.consumed"] == {(("system", "simpeg"),): 2}
    ended = points["absah.bridge.messages.ended"]
    assert ended[(("outcome", "answered"), ("system", "simpeg"))] == 1
    parked = (("cause", "NOT_WELL_FORMED"), ("outcome", "parked"), ("system", "simpeg"))
    assert ended[parked] == 1
    assert (("queue", queue),) in points["absah.bridge.queue.messages"]
    assert points["absah.bridge.connected"] == {(): 1}
    assert points["absah.bridge.messages.oldest"] == {(("system", "simpeg"),): 0}
    provider.shutdown()


def read(reader: InMemoryMetricReader) -> dict[str, dict[tuple[tuple[str, Any], ...], Any]]:
    """Values by metric and attributes."""
    data = reader.get_metrics_data()
    assert data is not None
    return {
        metric.name: {
            tuple(sorted((point.attributes or {}).items())): getattr(point, "value", None)
            for point in metric.data.data_points
        }
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }


async def test_health_tells_whether_messages_are_answered(
    tmp_path: Path, database_url: str, broker: str
) -> None:
    port, core_port = free_ports(2)
    config = make_config(f"127.0.0.1:{core_port}", broker)
    config["health_port"] = port

    def health() -> tuple[int, Any]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health") as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as exc:
            with exc:
                return exc.code, json.load(exc)

    async def until(code: int) -> Any:
        async with asyncio.timeout(30):
            while True:
                found, body = await asyncio.to_thread(health)
                if found == code:
                    return body
                await asyncio.sleep(0.05)

    async with running_bridge(tmp_path, config):
        body = await until(503)
        assert body["connected"] and not body["core_serving"]
        async with running_core(tmp_path, database_url, port=core_port):
            body = await until(200)
            assert body["systems"] == {"simpeg": {"under_way": 0, "oldest_seconds": 0.0}}
        await until(503)


async def test_a_client_certificate_opens_a_broker_that_asks_for_one(
    tmp_path: Path, core: str, node: RabbitMq
) -> None:
    certificate = node.authority.issue("bridge")
    config = make_config(core, node.tls_url)
    config["brokers"][0] |= {
        "ca_file": str(node.authority.file),
        "certificate_file": str(certificate.file),
        "key_file": str(certificate.key_file),
    }
    queue = queue_of(config)
    async with running_bridge(tmp_path, config):
        await played(node.url, asked(queue))


@pytest.mark.parametrize("lacking", ["ca_file", "certificate_file"])
async def test_a_broker_or_bridge_that_cannot_be_trusted_is_not_spoken_to(
    tmp_path: Path, core: str, node: RabbitMq, lacking: str
) -> None:
    certificate = node.authority.issue("bridge")
    config = make_config(core, node.tls_url)
    files = {
        "ca_file": str(node.authority.file),
        "certificate_file": str(certificate.file),
        "key_file": str(certificate.key_file),
    }
    del files[lacking]
    config["brokers"][0] |= files
    loaded, _ = run.systems.load(write(tmp_path, config))
    with pytest.raises(amqp.ConnectionLost):
        await amqp.connect(brokers.parameters(loaded.brokers))
