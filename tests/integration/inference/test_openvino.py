"""OpenVINO's engine in a process of its own, where nothing has used the bindings yet."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from integration.inference.drawing import draw_double

FIRST_RUNS_AT_ONCE = """
import sys, threading
import numpy as np
from pathlib import Path
from absah_server.inference.engines.openvino import OpenVinoEngine

engine = OpenVinoEngine(Path(sys.argv[1]), output_names=["y"], threads=1, streams=4)
start = threading.Barrier(4)
sys.setswitchinterval(1e-6)

def run():
    start.wait()
    engine.new_run().execute({"x": np.ones((1, 4), np.float32)})

threads = [threading.Thread(target=run) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


@pytest.mark.parametrize("attempt", range(5))
def test_first_executions_at_once_do_not_wait_for_each_other(tmp_path: Path, attempt: int) -> None:
    """Without care they did, in every fourth attempt."""
    file = draw_double(tmp_path)
    subprocess.run([sys.executable, "-c", FIRST_RUNS_AT_ONCE, str(file)], check=True, timeout=60)
