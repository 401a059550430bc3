"""W3C trace context, in AMQP headers and in calls of the core.

https://www.w3.org/TR/trace-context-amqp/ names the same fields that HTTP has; legacy programs send
them as text, and so they are answered. https://opentelemetry.io/docs/specs/semconv/messaging/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pika
from opentelemetry import context, trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_tracer = trace.get_tracer("absah.bridge")
_propagator = TraceContextTextMapPropagator()
FIELDS = ("traceparent", "tracestate")


@contextmanager
def message(properties: pika.BasicProperties, *, system: str, queue: str) -> Iterator[None]:
    """A span around the handling of a message, within the trace that the message came with.

    Where nothing collects spans, the message's own context is carried on.
    """
    given = _given(properties.headers or {})
    if not given and isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        yield
        return
    parent = _propagator.extract(given)
    attributes = {
        "messaging.system": "rabbitmq",
        "messaging.operation.type": "process",
        "messaging.destination.name": queue,
        "absah.system": system,
    }
    with _tracer.start_as_current_span(
        "message", parent, kind=trace.SpanKind.CONSUMER, attributes=attributes
    ):
        yield


def headers() -> dict[str, str]:
    """The current trace context as fields; none where there is none."""
    if not context.get_current():
        return {}
    fields: dict[str, str] = {}
    _propagator.inject(fields)
    return fields


def metadata() -> list[tuple[str, str]]:
    """The same as a call's metadata."""
    return list(headers().items())


def _given(headers: Mapping[str, object]) -> dict[str, str]:
    """The fields as texts: some clients send bytes, and some another case."""
    found = {}
    for name, value in headers.items():
        if name.lower() in FIELDS:
            text = value.decode("latin-1") if isinstance(value, bytes) else value
            if isinstance(text, str):
                found[name.lower()] = text
    return found
