"""Tell OpenTelemetry about requests to Triton servers, and Triton about the trace they are part of.

A server that is told to trace (`--trace-config mode=opentelemetry`) continues the trace.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import metrics, propagate, trace

from absah_server.inference.repository import StoredModel
from absah_server.inference.telemetry import Providers
from absah_server.inference.triton.failures import ServerFailure

_SCOPE = "absah_server.inference.triton"


class RequestTelemetry:
    """Spans and metrics of the requests to all servers."""

    def __init__(self, providers: Providers) -> None:
        self._tracer = trace.get_tracer(_SCOPE, tracer_provider=providers.tracer)
        meter = metrics.get_meter(_SCOPE, meter_provider=providers.meter)
        self._request_time = meter.create_histogram(
            "absah.inference.request_time", unit="s", description="Time until a server answered"
        )
        self._failures = meter.create_counter(
            "absah.inference.request_failures",
            unit="{request}",
            description="Requests that a server did not answer, by why",
        )

    @contextmanager
    def request(self, model: StoredModel, address: str) -> Iterator[None]:
        """One request to one server."""
        attributes = {
            "absah.model.name": model.name,
            "absah.model.version": model.version,
            "server.address": address,
        }
        with self._tracer.start_as_current_span(
            "absah.inference.request", kind=trace.SpanKind.CLIENT, attributes=attributes
        ):
            began = time.perf_counter()
            try:
                yield
            except ServerFailure as exc:
                self._failures.add(1, {**attributes, "absah.failure": exc.kind.name.lower()})
                raise
            self._request_time.record(time.perf_counter() - began, attributes)


def headers() -> dict[str, str]:
    """What carries the current trace to a server, as gRPC metadata."""
    carried: dict[str, str] = {}
    propagate.inject(carried)
    return carried
