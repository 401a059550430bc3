"""Give traces and metrics somewhere to go: an OTLP collector, a Prometheus endpoint."""

from __future__ import annotations

from collections.abc import Callable

from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor


def start(
    *, otlp_endpoint: str, prometheus_port: int, prometheus_host: str, version: str
) -> Callable[[], None]:
    """Start what is asked for and return what stops it.

    An empty endpoint or a port of 0 leaves that part out. Raises OSError if the port is taken.
    """
    resource = Resource.create({"service.name": "absah", "service.version": version})
    stops: list[Callable[[], None]] = []
    readers: list[MetricReader] = []
    if otlp_endpoint:
        # Imported here: an exporter takes a tenth of a second that most starts need not pay.
        from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

        plain = not otlp_endpoint.startswith("https://")
        traces = TracerProvider(resource=resource)
        traces.add_span_processor(
            BatchSpanProcessor(OTLPSpanExporter(endpoint=otlp_endpoint, insecure=plain))
        )
        trace.set_tracer_provider(traces)
        stops.append(traces.shutdown)
        readers.append(
            PeriodicExportingMetricReader(
                OTLPMetricExporter(endpoint=otlp_endpoint, insecure=plain)
            )
        )
    if prometheus_port:
        from opentelemetry.exporter.prometheus import PrometheusMetricReader
        from prometheus_client import start_http_server

        readers.append(PrometheusMetricReader())
        endpoint, _ = start_http_server(prometheus_port, addr=prometheus_host)
        stops.append(endpoint.shutdown)
    if readers:
        meters = MeterProvider(metric_readers=readers, resource=resource)
        metrics.set_meter_provider(meters)
        stops.append(meters.shutdown)

    def stop() -> None:
        for each in stops:
            each()

    return stop
