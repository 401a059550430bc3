"""`absah worker` and `absah db` against a real database."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from click.testing import CliRunner

from absah_ops.main import main


def environment(folder: Path, database_url: str) -> dict[str, str]:
    """Settings of commands; there are no models in it."""
    for name in ("models", "policies"):
        (folder / name).mkdir(exist_ok=True)
    return {
        "ABSAH_DATABASE_URL": database_url,
        "ABSAH_DATA": str(folder / "data"),
        "ABSAH_INFERENCE__MODEL_REPOSITORY": str(folder / "models"),
        "ABSAH_POLICIES": str(folder / "policies"),
        "ABSAH_PLUGINS": "[]",
        "ABSAH_DECODE_WORKERS": "1",
    }


async def test_a_worker_says_that_it_works_and_ends_at_sigterm(
    tmp_path: Path, database_url: str
) -> None:
    worker = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "absah_ops", "worker", "--workers", "3"),
        env={**os.environ, **environment(tmp_path, database_url)},
        stdout=asyncio.subprocess.PIPE,
    )
    assert worker.stdout
    async with asyncio.timeout(60):
        line = (await worker.stdout.readline()).decode()
        worker.send_signal(signal.SIGTERM)
        code = await worker.wait()
    assert line == f"absah works, 3 at a time, as process {worker.pid}\n"
    assert code == 0


def test_a_worker_without_a_schema_says_what_to_do(tmp_path: Path, empty_database_url: str) -> None:
    run = CliRunner().invoke(main, ["worker"], env=environment(tmp_path, empty_database_url))
    assert run.exit_code == 1
    assert "absah db migrate" in run.stderr


async def test_a_database_is_migrated_once_and_its_status_told(
    tmp_path: Path, empty_database_url: str
) -> None:
    def absah(*arguments: str) -> tuple[int, str]:
        run = CliRunner().invoke(main, arguments, env=environment(tmp_path, empty_database_url))
        return run.exit_code, run.stdout

    before = await asyncio.to_thread(absah, "db", "status", "--json")
    migrated = await asyncio.to_thread(absah, "db", "migrate")
    again = await asyncio.to_thread(absah, "db", "migrate")
    after = await asyncio.to_thread(absah, "db", "status", "--json")
    assert before[0] == 1
    assert json.loads(before[1].splitlines()[0])["apply_time"] is None
    assert migrated[0] == 0 and migrated[1].startswith("applied 0001 initial")
    assert again == (0, "nothing was missing\n")
    assert after[0] == 0
    assert all(json.loads(line)["apply_time"] for line in after[1].splitlines())
