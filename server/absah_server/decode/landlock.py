"""Leave a process only the files that Python and its libraries are read from (Linux Landlock).

Interface: Documentation/userspace-api/landlock.rst of the Linux kernel. What a newer kernel can
also refuse is refused where the kernel knows it; on a kernel without Landlock nothing is done.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import struct
import sys
from collections.abc import Iterable
from pathlib import Path

_CREATE_RULESET = 444
_ADD_RULE = 445
_RESTRICT_SELF = 446
_ASK_VERSION = 1
_RULE_PATH_BENEATH = 1

_EXECUTE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 2, 1 << 3
_FILE_RIGHTS_BY_VERSION = (13, 14, 15, 15, 16)
"""How many of the rights on files each version knows, from version 1 on."""
_TCP_BIND_AND_CONNECT = 3
_ABSTRACT_SOCKETS_AND_SIGNALS = 3
_FIRST_WITH_TCP = 4
_FIRST_WITH_SCOPES = 6

_LIBRARIES = (
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/usr/share",
    "/etc/fonts",
    "/etc/ld.so.cache",
)


def version() -> int:
    """Return the version that the kernel speaks, 0 for none."""
    return max(_call(_CREATE_RULESET, None, 0, _ASK_VERSION), 0)


def readable_paths() -> list[str]:
    """List what a worker may read: shared libraries, fonts and what Python imports from."""
    return [*_LIBRARIES, sys.prefix, sys.base_prefix, *sys.path]


def make_rules(paths: Iterable[str]) -> int | None:
    """Make rules that leave reading beneath these paths and refuse other files, TCP and signals.

    Returns their file descriptor, None where the kernel has no Landlock.
    """
    known = version()
    if not known:
        return None
    rights = (1 << _FILE_RIGHTS_BY_VERSION[min(known, len(_FILE_RIGHTS_BY_VERSION)) - 1]) - 1
    tcp = _TCP_BIND_AND_CONNECT if known >= _FIRST_WITH_TCP else 0
    scopes = _ABSTRACT_SOCKETS_AND_SIGNALS if known >= _FIRST_WITH_SCOPES else 0
    attributes = struct.pack("=QQQ", rights, tcp, scopes)
    rules = _checked(_CREATE_RULESET, attributes, len(attributes), 0)
    for path in paths:
        with contextlib.suppress(OSError):  # one that is not there need not be read
            _allow(rules, path)
    return rules


def restrict(rules: int) -> None:
    """Hold this process to rules, for good; it needs no_new_privs to be set."""
    _checked(_RESTRICT_SELF, rules, 0)


def _allow(rules: int, path: str) -> None:
    beneath = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rights = _EXECUTE | _READ_FILE | (_READ_DIR if Path(path).is_dir() else 0)
        rule = struct.pack("=Qi", rights, beneath)
        _checked(_ADD_RULE, rules, _RULE_PATH_BENEATH, rule, 0)
    finally:
        os.close(beneath)


def _checked(number: int, *args: int | bytes) -> int:
    result = _call(number, *args)
    if result < 0:
        raise OSError(ctypes.get_errno(), f"Landlock call {number} failed")
    return result


def _call(number: int, *args: int | bytes | None) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    words = [ctypes.c_long(a) if isinstance(a, int) else a for a in args]
    return int(libc.syscall(ctypes.c_long(number), *words))
