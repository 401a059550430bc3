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


def kill_postgres(folder: Path) -> bool:
    """SIGKILL the postmaster of a data folder and all its processes; whether there was one."""
    postmaster = _postmaster(folder)
    victims = [postmaster, *(each.pid for each in descendants(postmaster))] if postmaster else []
    for pid in victims:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return bool(victims)


def is_postgres_alive(folder: Path) -> bool:
    """Whether the postmaster of a data folder runs."""
    return bool(_postmaster(folder))


def _postmaster(folder: Path) -> int:
    """The pid of a data folder's postmaster; 0 where none runs."""
    try:
        pid = int((folder / "postmaster.pid").read_text().splitlines()[0])
        # The file outlives a postmaster that was killed, and its number may be another's by then.
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (*GONE, IndexError):
        return 0
    return pid if str(folder).encode() in command else 0


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
