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


def test_spans_and_metrics_of_a_validation_arrive(
    collector: tuple[Collector, int], tmp_path: Path
) -> None:
    kept, collector_port = collector
    metrics_port = free_port()
    (tmp_path / "policies").mkdir()
    environment = {
        **os.environ,
        "ABSAH_PLUGINS": '["letter", "ocr"]',
        "ABSAH_POLICIES": str(tmp_path / "policies"),
        "ABSAH_TELEMETRY__OTLP_ENDPOINT": f"http://127.0.0.1:{collector_port}",
        "ABSAH_TELEMETRY__PROMETHEUS_PORT": str(metrics_port),
    }
    with subprocess.Popen(
        [sys.executable, "-m", "absah_ops", "serve", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        text=True,
    ) as server:
        assert server.stdout and server.stderr
        address = server.stdout.readline().rpartition(" ")[2].strip()
        with absah.Client(address) as client:
            client.validate(checkers=["letter"], letter=absah.Text("SURAT TUGAS\nNomor: 1/A/2026"))
        page = f"http://127.0.0.1:{metrics_port}/metrics"
        with urllib.request.urlopen(page, timeout=10) as answer:
            shown = answer.read().decode()
        server.terminate()
        server.wait(timeout=30)
        logged = server.stderr.read()
    assert 'absah_checks_total{checker="letter"' in shown
    assert "absah_validation_queue_time_seconds_count" in shown
    deadline = time.monotonic() + 10
    while not kept.spans and time.monotonic() < deadline:
        time.sleep(0.05)
    spans = {span.name: span for span in kept.spans}
    assert {"validation", "check"} <= set(spans)
    assert spans["check"].parent_span_id == spans["validation"].span_id
    assert spans["check"].trace_id == spans["validation"].trace_id
    assert '"event": "serving"' in logged
    assert "Nomor" not in logged
