"""Files in memory that have no name: nothing of them is left after a crash."""

from __future__ import annotations

import fcntl
import mmap
import os
from typing import BinaryIO

from absah_server.decode.codec import Malformed

_SEALS = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL


def anonymous(name: str) -> BinaryIO:
    """Make an empty file in memory that can be sealed."""
    return os.fdopen(os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING), "w+b")


def frozen_view(file: BinaryIO) -> memoryview:
    """Make a file unchangeable and map it; the view keeps the mapping alive.

    Without the seals, whoever else holds the file could shorten it, and reading would be a fault
    that ends this process. Raises `Malformed` where somebody has it mapped for writing.
    """
    try:
        fcntl.fcntl(file.fileno(), fcntl.F_ADD_SEALS, _SEALS)
    except OSError as exc:
        raise Malformed("the file is still being written") from exc
    size = os.fstat(file.fileno()).st_size
    if size == 0:
        return memoryview(b"")
    return memoryview(mmap.mmap(file.fileno(), size, mmap.MAP_PRIVATE, mmap.PROT_READ))
