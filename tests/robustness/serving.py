"""The server that is ill-treated: `absah serve` as an operator starts it, its memory, its log."""

from __future__ import annotations

import contextlib
import filecmp
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
from ocr import family, pss_bytes, sampled

from absah_server import settings
from absah_server.inference import rollout

STOP_SECONDS = 90
DATA = "data"
TEMPORARY = "temporary"
HOME = "home"
MODELS = "models"


@dataclass(frozen=True, kw_only=True, slots=True)
class Server:
    """A server under test; `log` is its standard error, JSON a line.

    It may write to `data` and `temporary`, which lie within `folder`, and to the log.
    """

    process: subprocess.Popen[str]
    address: str
    log: Path
    folder: Path

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def strays(self) -> set[str]:
        """Files where it has no business to write, and changed files of its models."""
        allowed = {self.folder / name for name in (DATA, TEMPORARY)}
        return {
            str(file.relative_to(self.folder))
            for child in self.folder.iterdir()
            if child not in allowed
            for file in (child, *child.rglob("*"))
            if file.is_file() and not _is_original(file, self.folder / MODELS)
        }

    def memory_bytes(self) -> int:
        """What it and its sandboxed processes take now (PSS)."""
        return sum(pss_bytes(pid) for pid in family(self.process.pid))

    @contextmanager
    def peak(self) -> Iterator[list[int]]:
        """The most that it takes within the block, in a list that grows true."""
        with sampled(self.process.pid) as peak:
            try:
                yield peak
            finally:
                peak[0] = max(peak[0], self.memory_bytes())

    def stop(self) -> int:
        """Ask it to stop; its exit status."""
        self.process.terminate()
        try:
            return self.process.wait(STOP_SECONDS)
        finally:
            self.process.kill()

    def log_lines(self) -> list[dict[str, object]]:
        """What it logged so far, without lines that others wrote on its standard error."""
        lines = self.log.read_text(errors="replace").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def errors_logged(self) -> Counter[str]:
        """Events logged as errors, with where they happened."""
        return Counter(
            f"{line['event']}: {line['error']}" if "error" in line else str(line["event"])
            for line in self.log_lines()
            if line["level"] == "error"
        )


@contextmanager
def serving() -> Iterator[Server]:
    """Start a server with all its checkers on a free port; it is ended with the block.

    Its data are its own, its models a copy, and go with it; its log stays.
    """
    log = Path(tempfile.mkdtemp(prefix="absah-robustness-")) / "server.log"
    with tempfile.TemporaryDirectory(prefix="absah-data-") as held:
        folder = Path(held)
        shutil.copytree(settings.model_repository(), folder / MODELS)
        for name in (DATA, TEMPORARY, HOME):
            (folder / name).mkdir()
        with _started(log, folder) as process:
            assert process.stdout
            line = process.stdout.readline()
            if not line:
                raise RuntimeError(f"the server did not start:\n{log.read_text()}")
            yield Server(process=process, address=line.split()[-1], log=log, folder=folder)


def _is_original(file: Path, models: Path) -> bool:
    """Whether a file of the models is what it was, or says which version answers."""
    if models not in file.parents:
        return False
    if file.name == rollout.ROLLOUT_NAME:
        return file.parent.parent == models
    original = settings.model_repository() / file.relative_to(models)
    return original.is_file() and filecmp.cmp(original, file)


@contextmanager
def _started(log: Path, folder: Path) -> Iterator[subprocess.Popen[str]]:
    with log.open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "absah_ops", "serve", "--port", "0"],
            stdout=subprocess.PIPE,
            stderr=errors,
            env={
                **os.environ,
                "ABSAH_DATA": str(folder / DATA),
                "ABSAH_DATABASE_URL": "",
                "ABSAH_INFERENCE__MODEL_REPOSITORY": str(folder / MODELS),
                "TMPDIR": str(folder / TEMPORARY),
                "HOME": str(folder / HOME),
            },
            cwd=folder / HOME,
            text=True,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()
