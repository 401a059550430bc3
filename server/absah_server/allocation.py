"""Have large blocks of memory go back to the system as soon as they are free."""

from __future__ import annotations

import ctypes
import logging

log = logging.getLogger(__name__)

# Parameters of mallopt(3), of <malloc.h>.
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3

LARGE_BYTES = 16 * 2**20
KEPT_BYTES = 64 * 2**20


def return_large_blocks() -> None:
    """Map blocks from 16 MiB on one by one, which is where documents begin to be large.

    By itself glibc raises that limit to 32 MiB once such a block was freed, and then cuts documents
    out of heaps that cannot shrink while anything newer is in use at their end. Other C libraries
    have no such limit, and nothing is done.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except AttributeError:
        log.debug("this C library has no mallopt")
        return
    mallopt(_M_MMAP_THRESHOLD, LARGE_BYTES)
    mallopt(_M_TRIM_THRESHOLD, KEPT_BYTES)
