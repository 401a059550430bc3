"""A server that is told to stop answers what it took, and refuses the rest so that it is resent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

import absah

CLIENTS = 8


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`absah serve` as an operator starts it, on a free port."""
    (tmp_path / "models").mkdir()
    (tmp_path / "policies").mkdir()
    environment = {
        **os.environ,
        "ABSAH_PLUGINS": '["letter", "ocr"]',
        "ABSAH_POLICIES": str(tmp_path / "policies"),
        "ABSAH_MAX_RUNNING": "2",
        "ABSAH_STORE__KIND": "none",
        "ABSAH_TELEMETRY__LOG_LEVEL": "warning",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "absah_ops", "serve", "--port", "0"],
        stdout=subprocess.PIPE,
        env=environment,
        text=True,
    )
    assert process.stdout
    line = process.stdout.readline()
    assert line.startswith("absah is serving on "), line
    yield process, line.rpartition(" ")[2].strip()
    process.kill()
    process.wait()
    process.stdout.close()


def test_sigterm_under_load_loses_no_answer_that_was_promised(
    server: tuple[subprocess.Popen[str], str],
) -> None:
    process, address = server
    answers: list[str] = []
    stopping = threading.Event()

    def load(number: int) -> None:
        channel = grpc.insecure_channel(address, [("grpc.enable_retries", 0)])
        from absah.v1 import validation_service_pb2_grpc

        stub = validation_service_pb2_grpc.ValidationServiceStub(channel)
        while not stopping.is_set():
            request = absah.request(
                "", {"letter": absah.Text("PEMERINTAH KOTA\nNomor: 1\n" * 200)}, checkers=["letter"]
            )
            try:
                answer = stub.Validate(request, timeout=30)
                answers.append(absah.to_dict(answer.validation)["check_results"][0]["outcome"])
            except grpc.RpcError as exc:
                answers.append(exc.code().name)  # type: ignore[attr-defined]
                return
        channel.close()

    threads = [threading.Thread(target=load, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    while len(answers) < 2 * CLIENTS:
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 0
    stopping.set()
    for thread in threads:
        thread.join()
    ended = {answer for answer in answers if answer not in ("PASS", "INCONCLUSIVE", "FAIL")}
    assert ended <= {"UNAVAILABLE"}, answers


def test_a_port_that_is_taken_is_told_in_a_sentence(
    server: tuple[subprocess.Popen[str], str], tmp_path: Path
) -> None:
    _, address = server
    port = address.rpartition(":")[2]
    again = subprocess.run(
        [sys.executable, "-m", "absah_ops", "serve", "--port", port],
        env={
            **os.environ,
            "ABSAH_PLUGINS": "[]",
            "ABSAH_POLICIES": str(tmp_path / "policies"),
            "ABSAH_STORE__KIND": "none",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert again.returncode == 1
    assert "cannot be bound" in again.stderr
    assert "Traceback" not in again.stderr


def test_a_folder_of_policies_that_is_not_there_is_told_in_a_sentence(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "absah_ops", "serve", "--port", "0"],
        env={
            **os.environ,
            "ABSAH_PLUGINS": "[]",
            "ABSAH_POLICIES": str(tmp_path / "nowhere"),
            "ABSAH_STORE__KIND": "none",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    assert "there is no folder" in ended.stderr
    assert "Traceback" not in ended.stderr
