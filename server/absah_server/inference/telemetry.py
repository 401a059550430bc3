"""Tell OpenTelemetry about batches; without an SDK these calls do next to nothing.

A batch is a span of its own trace, since it works for several callers: it links to the span of
each caller that has one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from opentelemetry import metrics, trace

from absah_server.inference.repository import StoredModel

_SCOPE = "absah_server.inference"


def caller() -> trace.SpanContext | None:
    """The span that the current request runs in, if one is recorded."""
    context = trace.get_current_span().get_span_context()
    return context if context.is_valid else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Providers:
    """Where spans and metrics go; None is the process's own provider."""

    tracer: trace.TracerProvider | None = None
    meter: metrics.MeterProvider | None = None


class BatchTelemetry:
    """Spans and metrics of one model's batches."""

    def __init__(self, model: StoredModel, *, engine: str, providers: Providers) -> None:
        self._attributes = {
            "absah.model.name": model.name,
            "absah.model.version": model.version,
            "absah.inference.engine": engine,
        }
        self._tracer = trace.get_tracer(_SCOPE, tracer_provider=providers.tracer)
        meter = metrics.get_meter(_SCOPE, meter_provider=providers.meter)
        self._queue_time = meter.create_histogram(
            "absah.inference.queue_time", unit="s", description="Time a unit waited for its batch"
        )
        self._compute_time = meter.create_histogram(
            "absah.inference.compute_time", unit="s", description="Time a batch took to execute"
        )
        self._batch_size = meter.create_histogram(
            "absah.inference.batch_size", unit="{item}", description="Items executed together"
        )
        self._failures = meter.create_counter(
            "absah.inference.failures", unit="{unit}", description="Units that a model failed on"
        )
        self._refusals = meter.create_counter(
            "absah.inference.refusals",
            unit="{request}",
            description="Requests refused because the queue was full",
        )

    def batch_started(
        self, *, items: int, queue_seconds: Sequence[float], callers: Sequence[trace.SpanContext]
    ) -> trace.Span:
        """Open a batch's span, and record how long each of its units waited."""
        for seconds in queue_seconds:
            self._queue_time.record(seconds, self._attributes)
        self._batch_size.record(items, self._attributes)
        return self._tracer.start_span(
            "absah.inference.batch",
            # A root span: the loop's current context is whichever caller came last.
            context=trace.set_span_in_context(trace.INVALID_SPAN),
            links=[trace.Link(context) for context in callers],
            attributes={**self._attributes, "absah.inference.batch_size": items},
        )

    def batch_ended(self, span: trace.Span, *, compute_seconds: float, failures: int) -> None:
        """Close a batch's span."""
        self._compute_time.record(compute_seconds, self._attributes)
        if failures:
            self._failures.add(failures, self._attributes)
            span.set_status(trace.StatusCode.ERROR, f"{failures} units failed")
        span.end()

    def refused(self) -> None:
        """Count a request that the queue had no room for."""
        self._refusals.add(1, self._attributes)
