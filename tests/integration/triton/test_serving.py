"""`absah triton serve` runs Triton in the foreground, and `absah serve` makes use of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from integration.inference.drawing import draw_double
from integration.triton.conftest import INSTANCE

from absah_ops.triton import server
from absah_ops.triton.server import SHARED_MEMORY, TritonFailed, TritonServer


@contextmanager
def absah(*arguments: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-m", "absah_ops", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **variables},
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline().strip()
    if not line:
        assert process.stderr is not None
        pytest.fail(process.stderr.read())
    return line


def ports() -> tuple[list[str], int, int]:
    grpc, http, metrics = server.free_ports(3)
    words = ["--grpc-port", str(grpc), "--http-port", str(http), "--metrics-port", str(metrics)]
    return words, grpc, http


def test_triton_serves_until_it_is_told_to_end_and_leaves_nothing(tmp_path: Path) -> None:
    draw_double(tmp_path, more=INSTANCE)
    words, grpc, http = ports()
    arguments = ("triton", "serve", "--model-repository", str(tmp_path), *words)
    with absah(*arguments) as process:
        assert line_of(process) == f"triton is serving on 127.0.0.1:{grpc}"
        ready = f"http://127.0.0.1:{http}/v2/models/double/ready"
        with urllib.request.urlopen(ready, timeout=5) as answer:
            assert answer.status == 200
        assert [*SHARED_MEMORY.glob(f"absah_triton_{process.pid}_*")]
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
        assert not [*SHARED_MEMORY.glob(f"absah_triton_{process.pid}_*")]


@pytest.mark.parametrize("taken", ["grpc_port", "http_port", "metrics_port"])
def test_a_port_that_is_taken_is_told_and_exits_with_1(
    tmp_path: Path, drawn_triton: TritonServer, taken: str
) -> None:
    words, _, _ = ports()
    option, port = f"--{taken.replace('_', '-')}", getattr(drawn_triton.options, taken)
    words[words.index(option) + 1] = str(port)
    with absah("triton", "serve", "--model-repository", str(tmp_path), *words) as process:
        said, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert not said
    assert f"127.0.0.1:{port} cannot be listened on" in errors
    assert option in errors


def test_the_server_validates_with_models_on_triton(triton: TritonServer, tmp_path: Path) -> None:
    variables: dict[str, Any] = {"ABSAH_STORE__KIND": "none"}
    given = ("--inference", "triton", "--triton", triton.grpc_address)
    with absah("serve", "--port", "0", *given, **variables) as process:
        address = line_of(process).rpartition(" ")[2]
        text = tmp_path / "report.txt"
        text.write_text("Rapat dipimpin oleh Budi Santoso di Kota Bandung.")
        asked = ("validate", "--server", address, "--checker", "entities", f"report={text}")
        with absah(*asked, "--json") as validating:
            said, errors = validating.communicate(timeout=60)
        assert '"LOC"' in said, errors


def test_a_repository_that_is_not_there_is_told(tmp_path: Path) -> None:
    nowhere = server.running(tmp_path / "nowhere")
    with pytest.raises(TritonFailed, match="nowhere is no folder"), nowhere:
        pass
