"""OCR through the server against RapidOCR called directly, and what memory the server takes."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from measuring import HERE, Figure, alternate, ask, line_of, process

import absah
from absah_ops.specimens import degrading, layouts, letters, sheets
from absah_ops.specimens.degrading import Level

CLIENTS = 4
PAGES = 8
ROOT = HERE.parents[1]
RAPIDOCR_VENV = ROOT / ".venv-rapidocr"
RAPIDOCR = "rapidocr==3.10.0"
RAPIDOCR_NEEDS = (
    *("colorlog", "numpy", "omegaconf", "onnxruntime", "opencv-python-headless<5", "pillow"),
    *("pyclipper", "pyyaml", "requests", "shapely", "six", "tqdm"),
)
"""Named, since the package itself asks for an OpenCV that needs a display's libraries."""


def ocr_server_vs_rapidocr() -> Figure:
    with page_folder() as folder, server() as (_, address), rapidocr(folder) as theirs:
        pages = [file.read_bytes() for file in sorted(folder.iterdir())]
        with absah.Client(address, timeout_seconds=120) as client:
            rates = alternate(
                lambda: pages_a_second(client, pages), lambda: float(ask(theirs, "round"))
            )
    return Figure(
        name="ocr_server_vs_rapidocr",
        ours=rates[0],
        theirs=rates[1],
        unit="pages/s",
        at_least=1.2,
        note=f"{PAGES} letters at 150 dpi, {CLIENTS} clients over gRPC; RapidOCR in one process",
    )


def memory_all_models() -> Figure:
    with page_folder() as folder, server() as (pid, address):
        pages = [file.read_bytes() for file in sorted(folder.iterdir())]
        with absah.Client(address, timeout_seconds=120) as client, sampled(pid) as peak:
            for _ in range(2):
                pages_a_second(client, pages)
                everything(client, pages)
    return Figure(
        name="memory_all_models",
        ours=peak[0] / 2**20,
        theirs=1536.0,
        unit="MiB",
        at_most=1.0,
        note="peak of the server and its sandboxed processes (PSS) under load, against 1.5 GiB",
    )


@contextmanager
def page_folder() -> Iterator[Path]:
    """Letters as a scanner makes them, as JPEG files."""
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(PAGES):
            sheet = layouts.lay_out(letters.make_letter(seed))
            page = degrading.degrade(sheets.to_image(sheet, dpi=150), level=Level.SCAN, seed=seed)
            page.save(Path(folder) / f"{seed:02}.jpg", quality=90)
        yield Path(folder)


@contextmanager
def server() -> Iterator[tuple[int, str]]:
    """`absah serve` with all its checkers and data of its own; yields process id and address."""
    with tempfile.TemporaryDirectory(prefix="absah-benchmark-") as data:
        environment = {**os.environ, "ABSAH_DATA": data, "ABSAH_DATABASE_URL": ""}
        with process("-m", "absah_ops", "serve", "--port", "0", env=environment) as started:
            yield started.pid, line_of(started).rpartition(" ")[2]


@contextmanager
def rapidocr(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """RapidOCR in an environment of its own, ready to read these pages."""
    python = RAPIDOCR_VENV / "bin" / "python"
    if not (RAPIDOCR_VENV / ".ready").exists():
        subprocess.run([sys.executable, "-m", "venv", str(RAPIDOCR_VENV)], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *RAPIDOCR_NEEDS], check=True)
        subprocess.run([*pip, "--no-deps", RAPIDOCR], check=True)
        (RAPIDOCR_VENV / ".ready").touch()
    with process(str(HERE / "rapidocr_pages.py"), str(folder), python=str(python)) as started:
        line_of(started)
        yield started


def pages_a_second(client: absah.Client, pages: list[bytes]) -> float:
    """Read each page once, a few at a time, as separate requests."""

    def read(content: bytes) -> None:
        made = client.validate(checkers=["ocr"], letter=content)
        assert absah.to_dict(made)["check_results"][0]["facts"]["text"]

    began = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as clients:
        list(clients.map(read, pages))
    return len(pages) / (time.perf_counter() - began)


def everything(client: absah.Client, pages: list[bytes]) -> None:
    """Run all checkers that look at pictures, a few pages at a time."""
    names = ["ocr", "objects", "entities", "authenticity", "identity", "letter"]
    with ThreadPoolExecutor(CLIENTS) as clients:
        list(clients.map(lambda page: client.validate(checkers=names, letter=page), pages))


@contextmanager
def sampled(pid: int) -> Iterator[list[int]]:
    """The highest sum of a process tree's memory in bytes, in a list that grows true."""
    peak, ended = [0], threading.Event()

    def sample() -> None:
        while not ended.wait(0.05):
            peak[0] = max(peak[0], sum(pss_bytes(p) for p in family(pid)))

    sampling = threading.Thread(target=sample)
    sampling.start()
    try:
        yield peak
    finally:
        ended.set()
        sampling.join()


def family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    found = [pid]
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += family(int(child))
    except (FileNotFoundError, ProcessLookupError):
        return found  # it ended while it was looked at
    return found


def pss_bytes(pid: int) -> int:
    """Memory of a process, what it shares counted in parts (proc(5), smaps_rollup)."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return 0  # it ended while it was looked at
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)
