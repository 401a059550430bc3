"""Find processes through /proc, and kill those of a PostgreSQL."""

from __future__ import annotations

import contextlib
import os
import signal
from dataclasses import dataclass
from pathlib import Path

GONE = (FileNotFoundError, ProcessLookupError)


@dataclass(frozen=True, kw_only=True, slots=True)
class Process:
    """A process; `start` (clock ticks since boot) tells it from a later one of the same number."""

    pid: int
    start: int


def kill_postgres(folder: Path) -> None:
    """SIGKILL the postmaster of a data folder and all its processes."""
    postmaster = _postmaster(folder)
    victims = [postmaster, *(each.pid for each in descendants(postmaster))] if postmaster else []
    for pid in victims:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def is_postgres_alive(folder: Path) -> bool:
    """Whether the postmaster of a data folder runs."""
    fields = _fields(_postmaster(folder))
    return bool(fields) and fields[0] != "Z"


def _postmaster(folder: Path) -> int:
    """Its pid as it wrote it down; 0 where it did not."""
    try:
        return int((folder / "postmaster.pid").read_text().splitlines()[0])
    except (FileNotFoundError, IndexError):
        return 0


def descendants(pid: int) -> set[Process]:
    """Its children and theirs, as they are now."""
    children: dict[int, list[Process]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        if fields := _fields(int(entry.name)):
            found = Process(pid=int(entry.name), start=int(fields[19]))
            children.setdefault(int(fields[1]), []).append(found)
    seen: set[Process] = set()
    waiting = [pid]
    while waiting:
        for child in children.get(waiting.pop(), []):
            seen.add(child)
            waiting.append(child.pid)
    return seen


def is_alive(process: Process) -> bool:
    """Whether it runs still; one that only waits to be reaped does not."""
    fields = _fields(process.pid)
    return bool(fields) and fields[0] != "Z" and int(fields[19]) == process.start


def _fields(pid: int) -> list[str]:
    """Of /proc/PID/stat those from the third on: state, parent, …; none if it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except GONE:
        return []
