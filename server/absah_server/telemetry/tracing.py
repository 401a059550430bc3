"""Spans, which cost next to nothing while there is nowhere for them to go."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from opentelemetry import trace

_tracer = trace.get_tracer("absah")
_NOWHERE = nullcontext(trace.INVALID_SPAN)


def span(name: str) -> AbstractContextManager[trace.Span]:
    """Open a span around a block; without a provider the API's own would cost two of the core."""
    if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        return _NOWHERE
    return _tracer.start_as_current_span(name)
