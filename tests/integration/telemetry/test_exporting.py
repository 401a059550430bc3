"""A server sends its spans to a collector and shows its metrics to Prometheus."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest
from opentelemetry.proto.collector.metrics.v1 import (
    metrics_service_pb2,
    metrics_service_pb2_grpc,
)
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from opentelemetry.proto.trace.v1 import trace_pb2

import absah
from absah.v1 import validation_service_pb2, validation_service_pb2_grpc

LETTER = absah.Text("SURAT TUGAS\nNomor: 1/A/2026")


class Collector(
    trace_service_pb2_grpc.TraceServiceServicer, metrics_service_pb2_grpc.MetricsServiceServicer
):
    """An OTLP collector that keeps the spans it gets."""

    def __init__(self) -> None:
        self.spans: list[trace_pb2.Span] = []

    def Export(  # noqa: N802
        self, request: object, context: grpc.ServicerContext
    ) -> object:
        if isinstance(request, trace_service_pb2.ExportTraceServiceRequest):
            for resource in request.resource_spans:
                for scope in resource.scope_spans:
                    self.spans += scope.spans
            return trace_service_pb2.ExportTraceServiceResponse()
        return metrics_service_pb2.ExportMetricsServiceResponse()

    def by_name(self, *names: str) -> dict[str, trace_pb2.Span]:
        """The spans, once there are all of these names."""
        deadline = time.monotonic() + 30
        while True:
            found = {span.name: span for span in self.spans}
            if set(names) <= found.keys() or time.monotonic() > deadline:
                return found
            time.sleep(0.05)


@pytest.fixture
def collector() -> Iterator[tuple[Collector, int]]:
    kept = Collector()
    server = grpc.server(ThreadPoolExecutor(2))
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(kept, server)
    metrics_service_pb2_grpc.add_MetricsServiceServicer_to_server(kept, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield kept, port
    server.stop(0).wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def serving(
    folder: Path, collector_port: int, **environment: str
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A server with the checker `letter` that sends its spans to a collector."""
    (folder / "policies").mkdir()
    with subprocess.Popen(
        [sys.executable, "-m", "absah_ops", "serve", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={
            **os.environ,
            "ABSAH_PLUGINS": '["letter", "ocr"]',
            "ABSAH_POLICIES": str(folder / "policies"),
            "ABSAH_TELEMETRY__OTLP_ENDPOINT": f"http://127.0.0.1:{collector_port}",
            "OTEL_BSP_SCHEDULE_DELAY": "200",
            **environment,
        },
        text=True,
    ) as server:
        assert server.stdout
        try:
            yield server.stdout.readline().rpartition(" ")[2].strip(), server
        finally:
            server.terminate()


def test_spans_and_metrics_of_a_validation_arrive(
    collector: tuple[Collector, int], tmp_path: Path
) -> None:
    kept, collector_port = collector
    metrics_port = free_port()
    with serving(tmp_path, collector_port, ABSAH_TELEMETRY__PROMETHEUS_PORT=str(metrics_port)) as (
        address,
        server,
    ):
        assert server.stderr
        with absah.Client(address) as client:
            client.validate(checkers=["letter"], letter=LETTER)
        page = f"http://127.0.0.1:{metrics_port}/metrics"
        with urllib.request.urlopen(page, timeout=10) as answer:
            shown = answer.read().decode()
        spans = kept.by_name("validation", "check")
        server.terminate()
        server.wait(timeout=30)
        logged = server.stderr.read()
    assert 'absah_checks_total{checker="letter"' in shown
    assert "absah_validation_queue_time_seconds_count" in shown
    assert {"validation", "check"} <= set(spans)
    assert spans["check"].parent_span_id == spans["validation"].span_id
    assert spans["check"].trace_id == spans["validation"].trace_id
    assert '"event": "serving"' in logged
    assert "Nomor" not in logged


def test_what_is_validated_later_belongs_to_the_trace_that_it_was_sent_in(
    collector: tuple[Collector, int], tmp_path: Path
) -> None:
    kept, collector_port = collector
    trace_id, caller = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
    request = absah.request("", {"letter": LETTER}, checkers=["letter"])
    with serving(tmp_path, collector_port) as (address, _), absah.Client(address) as client:
        with grpc.insecure_channel(address) as channel:
            stub = validation_service_pb2_grpc.ValidationServiceStub(channel)
            created = stub.CreateValidation(
                validation_service_pb2.CreateValidationRequest(request=request),
                metadata=[("traceparent", f"00-{trace_id}-{caller}-01")],
                timeout=30,
            )
        ended = client.wait_for_validation(created.validation.name, timeout_seconds=60)
        spans = kept.by_name("validation", "check")
    assert ended.check_results
    assert spans["validation"].trace_id.hex() == trace_id
    assert spans["validation"].parent_span_id.hex() == caller
    assert spans["check"].trace_id.hex() == trace_id
