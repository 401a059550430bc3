"""Measure what memory a plan takes, in a process of its own.

That process runs this module: it loads the model, runs a request of usual size and a full batch of
the largest, as many at once as the plan allows, and prints the growth of its memory in bytes.
"""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from absah_ops.measuring import requests
from absah_server.inference import repository
from absah_server.inference.engines import EngineName, opening
from absah_server.inference.repository import StoredModel
from absah_server.inference.tuning import Plan

TIMEOUT_SECONDS = 300


def of_plan(model: StoredModel, plan: Plan) -> int:
    """Bytes that a process grows by when it serves `model` by `plan`; raises OSError."""
    words = (str(model.directory), model.version, plan.engine, str(plan.runs), str(plan.threads))
    try:
        answer = subprocess.run(  # noqa: S603
            [sys.executable, "-m", __name__, *words],
            capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=True,
        )  # fmt: skip
    except subprocess.SubprocessError as exc:
        raise OSError(f"memory of {model.name} by {plan} could not be measured: {exc}") from exc
    return int(answer.stdout)


def main(directory: str, version: str, engine: str, runs: str, threads: str) -> None:
    """Measure in this process and print."""
    (model,) = repository.read_model(Path(directory), versions=(version,))
    plan = Plan(engine=EngineName(engine), runs=int(runs), threads=int(threads))
    usual, largest = requests.typical(model), requests.largest(model)
    _import(plan.engine)
    before = _resident_bytes()
    opened = opening.open_with(model, plan)
    with ThreadPoolExecutor(plan.runs) as pool:
        for inputs in (usual, largest, usual):
            list(pool.map(lambda _: opened.new_run().execute(inputs), range(plan.runs)))  # noqa: B023
    print(_resident_bytes() - before)


def _import(engine: EngineName) -> None:
    """The library is paid for once, not by each model."""
    if engine is EngineName.OPENVINO:
        import absah_server.inference.engines.openvino  # noqa: F401


def _resident_bytes() -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    main(*sys.argv[1:])
