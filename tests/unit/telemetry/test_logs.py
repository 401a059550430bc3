"""Logs are JSON, carry trace ids and hide what is private."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider

from absah_server.core import expressions
from absah_server.telemetry import logs
from absah_server.telemetry.logs import JsonFormatter


@pytest.fixture
def own_logging() -> Iterator[None]:
    """Logging as it was, once the test is over."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def logged(message: str, *, error: BaseException | None = None, **extra: Any) -> dict[str, Any]:
    record = logging.makeLogRecord({"name": "t", "levelname": "INFO", "msg": message, **extra})
    if error:
        record.exc_info = (type(error), error, error.__traceback__)
    line: dict[str, Any] = json.loads(JsonFormatter().format(record))
    return line


def test_extras_are_fields() -> None:
    line = logged("check finished", checker="ocr", outcome="PASS")
    assert (line["event"], line["checker"], line["outcome"]) == ("check finished", "ocr", "PASS")


def test_a_nik_is_masked_wherever_it_stands() -> None:
    line = logged("nik 3201011508950001", found="3201011508950001")
    assert "1508" not in json.dumps(line)
    assert line["found"] == "320101********01"


def test_a_traceback_tells_places_but_not_the_exceptions_text() -> None:
    try:
        raise ValueError("what the document says")
    except ValueError:
        error = sys.exc_info()[1]
    line = logged("failed", error=error)
    assert line["error"] == "ValueError"
    assert "test_logs.py" in line["traceback"][0]
    assert "what the document says" not in json.dumps(line)


def test_lines_within_a_span_carry_its_ids() -> None:
    tracer = TracerProvider().get_tracer("t")
    with tracer.start_as_current_span("s") as span:
        line = logged("within")
    assert int(line["trace_id"], 16) == span.get_span_context().trace_id
    assert "trace_id" not in logged("outside")


@pytest.mark.usefixtures("own_logging")
def test_metadata_that_grpc_cannot_read_does_not_fill_the_log(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", list(root.handlers))
    monkeypatch.setattr(root, "level", root.level)
    logs.start("info")
    grpc_log = logging.getLogger(logs.GRPC)
    grpc_log.error("Invalid encoding on %s", b"\xff" * 9)
    grpc_log.error("Unexpected [%s] raised by servicer method", "X")
    written = capsys.readouterr().err
    assert "Invalid" not in written
    assert "Unexpected" in written


@pytest.mark.usefixtures("own_logging")
def test_what_an_expression_failed_at_is_not_logged(capsys: pytest.CaptureFixture[str]) -> None:
    logs.start("debug")
    expression = expressions.compile_expression(
        "bool(claims.name)", variables=("claims",), functions=()
    )
    context = expressions.context({"claims": {"name": "Siti Rahasia"}}, {})
    with pytest.raises(Exception, match=r".+"):
        expression.evaluate(context)
    assert "Rahasia" not in capsys.readouterr().err
