"""Hand large tensors to a Triton server on the same host without sending them.

A region is a file in /dev/shm that Triton maps when it is registered. Its name is taken away right
after that: the memory lives as long as either side maps it, so that a crash of either leaves
nothing behind in /dev/shm. What a crash of ours would leave is the registration, inside Triton;
the next start finds those of processes that are gone and undoes them.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import mmap
import os
import re
import secrets
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
from tritonclient.grpc import aio
from tritonclient.utils import InferenceServerException

from absah_sdk.checking import Array

log = logging.getLogger(__name__)

FOLDER = Path("/dev/shm")  # noqa: S108
SMALLEST_BYTES = 1 << 20
_CALL_SECONDS = 5.0
_UNREGISTER_ATTEMPTS = 5
_UNREGISTER_PAUSE_SECONDS = 0.2
_NAME = re.compile(r"absah\.(?P<space>\d+)\.(?P<pid>\d+)\.(?P<began>\d+)\.[0-9a-f]+\.\d+")


class Region:
    """Memory that this process and a server share; used by one request at a time."""

    def __init__(self, name: str, size: int) -> None:
        """Make the file; raises OSError where /dev/shm has no room."""
        self.name = name
        self.size = size
        self._file = FOLDER / name
        file = os.open(self._file, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        try:
            # Reserved now: a write into a full /dev/shm would end the process with SIGBUS.
            os.posix_fallocate(file, 0, size)
            self._map = mmap.mmap(file, size)
        except BaseException:
            self.unname()
            raise
        finally:
            os.close(file)

    def unname(self) -> None:
        """Take its name away; who maps it keeps it."""
        self._file.unlink(missing_ok=True)

    def write(self, offset: int, array: Array) -> None:
        """Copy an array in."""
        np.copyto(self._view(offset, array.dtype, array.shape), array)

    def read(self, offset: int, dtype: np.dtype[Any], shape: tuple[int, ...]) -> Array:
        """Copy an array out."""
        return self._view(offset, dtype, shape).copy()

    def close(self) -> None:
        """Let go of the memory."""
        self.unname()
        self._map.close()

    def _view(self, offset: int, dtype: np.dtype[Any], shape: tuple[int, ...]) -> Array:
        return np.ndarray(shape, dtype, buffer=self._map, offset=offset)


class RegionPool:
    """The regions shared with one server, at most `max_bytes` of them, kept for later requests."""

    def __init__(self, client: aio.InferenceServerClient, *, max_bytes: int) -> None:
        self._client = client
        self._max_bytes = max_bytes
        self._idle: list[Region] = []
        self._lent: set[Region] = set()
        self._retiring: set[asyncio.Task[None]] = set()
        self._bytes = 0
        self._prefix = f"absah.{_own_space()}.{_identity(os.getpid())}.{secrets.token_hex(4)}"
        self._numbers = itertools.count()

    async def borrow(self, size: int) -> Region | None:
        """A registered region of at least `size` bytes; None where there is no room for it.

        Raises InferenceServerException where the server cannot map it.
        """
        fitting = [region for region in self._idle if region.size >= size]
        if fitting:
            region = min(fitting, key=lambda region: region.size)
            self._idle.remove(region)
            self._lent.add(region)
            return region
        # Powers of two: few sizes, so that regions find another use.
        rounded = max(SMALLEST_BYTES, 1 << (size - 1).bit_length())
        self._make_room(rounded)
        if self._bytes + rounded > self._max_bytes:
            return None
        return await self._new(rounded)

    def give_back(self, region: Region) -> None:
        """Keep a region for the next request; the server must be done with it."""
        if region in self._lent:
            self._lent.remove(region)
            self._idle.append(region)
        else:
            region.close()

    def retire(self, region: Region) -> None:
        """Use a region no more: the server may still be at it."""
        if region in self._lent:
            self._lent.remove(region)
            self._end(region)
        else:
            region.close()

    def forget(self) -> list[str]:
        """Let go of all regions, lent ones when they are returned, and tell their names.

        For a connection that broke: a server that was restarted knows none of them, one that is
        still the same maps them until they are unregistered by name.
        """
        names = [region.name for region in (*self._idle, *self._lent)]
        for region in self._idle:
            region.close()
        self._idle.clear()
        self._lent.clear()
        self._bytes = 0
        return names

    async def close(self) -> None:
        """Undo every registration."""
        for region in (*self._idle, *self._lent):
            self._end(region)
        self._idle.clear()
        self._lent.clear()
        await asyncio.gather(*self._retiring)

    async def unregister_left_behind(self, forgotten: Collection[str] = ()) -> None:
        """Undo the registrations of processes that are gone, and those that were forgotten."""
        status = await self._client.get_system_shared_memory_status(client_timeout=_CALL_SECONDS)
        for name in status.regions:
            if name in forgotten or _is_left_behind(name):
                log.info("region left behind", extra={"region": name})
                await self._unregister(name)

    async def _new(self, size: int) -> Region | None:
        try:
            region = Region(f"{self._prefix}.{next(self._numbers)}", size)
        except OSError as exc:
            log.warning("no shared memory", extra={"error": exc.strerror, "size_bytes": size})
            return None
        self._bytes += size
        self._lent.add(region)
        try:
            await self._client.register_system_shared_memory(
                region.name, f"/{region.name}", size, client_timeout=_CALL_SECONDS
            )
        except BaseException:
            # The server may have registered it all the same, where the call was cut off.
            self.retire(region)
            raise
        region.unname()
        return region

    def _make_room(self, size: int) -> None:
        while self._idle and self._bytes + size > self._max_bytes:
            self._end(self._idle.pop(0))

    def _end(self, region: Region) -> None:
        self._bytes -= region.size
        region.close()
        task = asyncio.get_running_loop().create_task(self._unregister(region.name))
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)

    async def _unregister(self, name: str) -> None:
        """Again and again: it is refused while a request, even one just answered, is at it."""
        for attempt in range(1, _UNREGISTER_ATTEMPTS + 1):
            try:
                await self._client.unregister_system_shared_memory(
                    name, client_timeout=_CALL_SECONDS
                )
                return
            except InferenceServerException as exc:
                if attempt == _UNREGISTER_ATTEMPTS or "UNAVAILABLE" in str(exc.status()):
                    log.info("region not unregistered", extra={"region": name})
                    return
            await asyncio.sleep(_UNREGISTER_PAUSE_SECONDS * attempt)


def _own_space() -> int:
    """The namespace that process ids here are of; those of another container mean nothing."""
    return Path("/proc/self/ns/pid").stat().st_ino


def _identity(pid: int) -> str:
    """A process id and when it began, in clock ticks since boot: see proc(5)."""
    # The second field is the program's name in brackets, which may hold anything.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return f"{pid}.{fields[19]}"


def _is_left_behind(name: str) -> bool:
    match = _NAME.fullmatch(name)
    if match is None or int(match["space"]) != _own_space():
        return False
    with contextlib.suppress(OSError):
        return _identity(int(match["pid"])) != f"{match['pid']}.{match['began']}"
    return True
