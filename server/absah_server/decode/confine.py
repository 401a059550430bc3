"""Take from a process what it does not need before it meets hostile bytes (Linux)."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import resource
import signal
import struct
from pathlib import Path

from absah_server.decode import landlock, seccomp
from absah_server.decode.limits import DecodeLimits

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38
_CAPABILITY_VERSION_3 = 0x20080522
_MAX_FILES = 32
_FILE_MARGIN_BYTES = 8 << 20
_BYTES_PER_PIXEL = 3


def die_with(parent: int) -> None:
    """Be killed when the parent process ends, however it ends."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before we asked
        os._exit(1)


def prepare() -> int | None:
    """Make once what all processes forked from this one are held to; give it to `confine`."""
    seccomp.prepare()
    return landlock.make_rules(landlock.readable_paths())


def confine(limits: DecodeLimits, rules: int | None) -> None:
    """Bound what this process may use and reach, for good."""
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    _bound(limits)
    _drop_capabilities()
    if rules is not None:
        landlock.restrict(rules)
    _prctl(_PR_SET_DUMPABLE, 0)
    seccomp.restrict()


def _bound(limits: DecodeLimits) -> None:
    space = _address_space_bytes() + limits.memory_bytes
    largest = max(limits.max_pixels * _BYTES_PER_PIXEL, limits.max_result_bytes)
    # At the lower limit on time the signal says so; at the upper one it would be a plain kill.
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_seconds, limits.cpu_seconds + 1))
    for kind, value in (
        (resource.RLIMIT_AS, space),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, _MAX_FILES),
        (resource.RLIMIT_FSIZE, largest + _FILE_MARGIN_BYTES),
    ):
        resource.setrlimit(kind, (value, value))
    with contextlib.suppress(OSError):  # some containers have no such file
        # Where the machine runs out of memory, this process is the one to go.
        Path("/proc/self/oom_score_adj").write_text("1000")


def _address_space_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * resource.getpagesize()


def _drop_capabilities() -> None:
    """Give up what root may do, where the server runs as root; capset(2)."""
    header = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0)
    if _libc().capset(header, bytes(24)) != 0:
        raise OSError(ctypes.get_errno(), "capset failed")


def _prctl(option: int, value: int) -> None:
    if _libc().prctl(option, ctypes.c_ulong(value), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option}) failed")


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
