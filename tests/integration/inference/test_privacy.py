"""No runtime tells its maker how it is used."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import asyncio, sys
from pathlib import Path
from absah_server.inference.local import LocalInference

async def run(engine):
    serving = LocalInference(Path(sys.argv[1]), engine=engine, only=["ocr_angle"])
    await serving.start()
    await serving.close()

for engine in ("onnxruntime", "openvino"):
    asyncio.run(run(engine))
"""
REPOSITORY = Path(__file__).parents[3] / "model_repository"


def test_runtimes_write_nothing_into_the_home_folder(tmp_path: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("ORT_")}
    subprocess.run(
        [sys.executable, "-c", SCRIPT, str(REPOSITORY)],
        env={**environment, "HOME": str(tmp_path)},
        check=True,
    )
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
