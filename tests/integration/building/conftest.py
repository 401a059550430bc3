"""TensorRT for RTX, in a folder of its own: it takes 230 MB, and is not needed to use Absah."""

from __future__ import annotations

import fcntl
import subprocess
import sys
from pathlib import Path

import pytest

from absah_ops.building.tensorrt import Runtime

PACKAGES = tuple(
    f"{name}==1.7.1.116"
    for name in (
        "tensorrt-rtx-cu13",
        "tensorrt-rtx-cu13-bindings",
        "tensorrt-rtx-cu13-libs",
    )
)
FOLDER = Path(__file__).parents[3] / ".venv-tensorrt-rtx"


@pytest.fixture(scope="session")
def rtx() -> Runtime:
    """Make `tensorrt_rtx` importable; it is installed once."""
    ready = FOLDER / ".ready"
    FOLDER.mkdir(exist_ok=True)
    with (FOLDER / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.exists():
            pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
            done = subprocess.run(
                [*pip, "--target", str(FOLDER), *PACKAGES], capture_output=True, text=True
            )
            if done.returncode != 0:
                pytest.skip(f"TensorRT for RTX cannot be installed: {done.stderr.strip()[-300:]}")
            ready.touch()
    if str(FOLDER) not in sys.path:
        sys.path.append(str(FOLDER))
    return Runtime.RTX
