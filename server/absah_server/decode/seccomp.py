"""Refuse a process the system calls that reach other processes, networks and programs (Linux).

A filter in the kernel's classic BPF (seccomp(2), Documentation/userspace-api/seccomp_filter.rst)
answers EPERM to a list of calls. It is a list of what is refused, since the libraries that decode
differ in what they need; together with Landlock it leaves a worker computing, memory, its own two
files and its socket.
"""

from __future__ import annotations

import ctypes
import errno
import functools
import os
import platform
import struct
from collections.abc import Mapping
from dataclasses import dataclass

_PR_SET_SECCOMP = 22
_MODE_FILTER = 2

_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER_AT, _ARCHITECTURE_AT, _FIRST_ARGUMENT_AT = 0, 4, 16
_ALLOW = 0x7FFF0000
_KILL = 0x80000000
_REFUSE = 0x00050000
_X32_CALLS = 0x40000000
_CLONE_THREAD = 0x00010000
_PLACEHOLDER = 0x7FEDCBA9
_OWN_PROCESS = struct.pack("=I", _PLACEHOLDER)
"""Stands in the filter for the number of the process, which only it knows."""

_REFUSED = {
    # programs and other processes
    "execve": (59, 221),
    "execveat": (322, 281),
    "fork": (57, None),
    "vfork": (58, None),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "kcmp": (312, 272),
    "tkill": (200, 130),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "pidfd_open": (434, 434),
    "pidfd_send_signal": (424, 424),
    "pidfd_getfd": (438, 438),
    "setpriority": (141, 140),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    # memory that no limit on a process counts
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    # networks
    "socket": (41, 198),
    # the kernel's large and rarely needed surfaces
    "io_uring_setup": (425, 425),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    # what root could do, where the server runs as root
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_by_handle_at": (304, 265),
    "setns": (308, 268),
    "unshare": (272, 97),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "kexec_load": (246, 104),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "sethostname": (170, 161),
    "clock_settime": (227, 112),
}
"""Names with their numbers on x86_64 and on aarch64."""

_OWN_PROCESS_ONLY = {"kill": (62, 129), "tgkill": (234, 131)}
"""A process may end itself, as abort() does, and no other."""
_ITSELF_ONLY = {"prlimit64": (302, 261)}
"""Process 0 means the caller."""
_THREADS_ONLY = {"clone": (56, 220)}
_UNKNOWN = {"clone3": (435, 435)}
"""Its flags lie in memory, which a filter cannot read; told it is unknown, callers use clone."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Architecture:
    audit: int
    column: int


_ARCHITECTURES = {
    "x86_64": _Architecture(audit=0xC000003E, column=0),
    "aarch64": _Architecture(audit=0xC00000B7, column=1),
}


def supported() -> bool:
    """Whether the filter knows this processor's system calls."""
    return platform.machine() in _ARCHITECTURES


def prepare() -> None:
    """Write the filter once, for all processes forked from this one."""
    if supported():
        _program(platform.machine())


def restrict() -> None:
    """Install the filter for this process, for good; it needs no_new_privs to be set."""
    if not supported():
        return
    pid = struct.pack("=I", os.getpid())
    program = _program(platform.machine()).replace(_OWN_PROCESS, pid)
    code = ctypes.create_string_buffer(program)
    header = struct.pack("@HP", len(program) // 8, ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_SECCOMP, ctypes.c_ulong(_MODE_FILTER), header, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "seccomp filter refused")


@functools.cache
def _program(machine: str) -> bytes:
    """Write the filter: each call is looked for in turn, and falls through to allowed."""
    architecture = _ARCHITECTURES[machine]
    refuse = _step(_RETURN, _REFUSE | errno.EPERM)
    steps = [
        _step(_LOAD, _ARCHITECTURE_AT),
        _step(_JUMP_EQUAL, architecture.audit, then=1),
        _step(_RETURN, _KILL),
        _step(_LOAD, _NUMBER_AT),
        _step(_JUMP_AT_LEAST, _X32_CALLS, otherwise=1),
        refuse,
    ]
    column = architecture.column
    for number in _numbers(_REFUSED, column):
        steps += [_step(_JUMP_EQUAL, number, otherwise=1), refuse]
    for number in _numbers(_UNKNOWN, column):
        steps += [
            _step(_JUMP_EQUAL, number, otherwise=1),
            _step(_RETURN, _REFUSE | errno.ENOSYS),
        ]
    for calls, test, operand in (
        (_OWN_PROCESS_ONLY, _JUMP_EQUAL, _PLACEHOLDER),
        (_ITSELF_ONLY, _JUMP_EQUAL, 0),
        (_THREADS_ONLY, _JUMP_ANY_BIT, _CLONE_THREAD),
    ):
        for number in _numbers(calls, column):
            steps += [
                _step(_JUMP_EQUAL, number, otherwise=4),
                _step(_LOAD, _FIRST_ARGUMENT_AT),
                _step(test, operand, then=1),
                refuse,
                _step(_RETURN, _ALLOW),
            ]
    return b"".join([*steps, _step(_RETURN, _ALLOW)])


def _numbers(calls: Mapping[str, tuple[int, int | None]], column: int) -> list[int]:
    return [number for pair in calls.values() if (number := pair[column]) is not None]


def _step(code: int, operand: int, *, then: int = 0, otherwise: int = 0) -> bytes:
    return struct.pack("=HBBI", code, then, otherwise, operand)
