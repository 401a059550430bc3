"""Logs as one JSON object a line, with trace ids; no document's contents, no unmasked NIK."""

from __future__ import annotations

import datetime
import json
import logging
import re
import sys
from typing import Any

from opentelemetry import trace

STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
GRPC = "grpc._cython.cygrpc"
OF_CALLERS = ("Invalid encoding on ", "ExecuteBatchError raised in core by servicer method")
NIK = re.compile(r"(?<!\d)(\d{6})\d{8}(\d{2})(?!\d)")


def mask(text: str) -> str:
    """The text with the middle of every 16-digit number hidden: it may be a NIK."""
    return NIK.sub(r"\1********\2", text)


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, event, extras, trace and span ids."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.datetime.fromtimestamp(record.created, datetime.UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        line.update({k: v for k, v in vars(record).items() if k not in STANDARD})
        span = trace.get_current_span().get_span_context()
        if span.is_valid:
            line["trace_id"] = trace.format_trace_id(span.trace_id)
            line["span_id"] = trace.format_span_id(span.span_id)
        if record.exc_info and record.exc_info[0]:
            line["error"] = record.exc_info[0].__name__
            line["traceback"] = _places(record)
        return mask(json.dumps(line, ensure_ascii=False, default=str))


def _places(record: logging.LogRecord) -> list[str]:
    """Where it happened, without the exception's text, which may quote a document."""
    places = []
    traceback = record.exc_info[2] if record.exc_info else None
    while traceback:
        code = traceback.tb_frame.f_code
        places.append(f"{code.co_filename}:{traceback.tb_lineno} {code.co_qualname}")
        traceback = traceback.tb_next
    return places


def start(level: str) -> None:
    """Send the logs to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.getLogger(GRPC).addFilter(_is_no_callers_doing)
    # CEL's library tells why a function failed in words that may hold a claim.
    logging.getLogger("cel").setLevel(logging.CRITICAL + 1)


def _is_no_callers_doing(record: logging.LogRecord) -> bool:
    """gRPC logs as errors what any caller could fill the log with: metadata that is no UTF-8, in
    full, and that a caller left while being answered. Where it matters, a call is refused."""
    return not str(record.msg).startswith(OF_CALLERS)
