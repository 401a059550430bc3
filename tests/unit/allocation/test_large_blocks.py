"""Memory of large documents goes back to the system though something newer is still in use."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

SCRIPT = """
import gc, resource, sys
from absah_server import allocation

def resident_mib():
    fields = open("/proc/self/statm").read().split()
    return int(fields[1]) * resource.getpagesize() / 2**20

if sys.argv[1] == "returned":
    allocation.return_large_blocks()
before = resident_mib()
kept = []
for _ in range(4):
    documents = []
    for _ in range(6):
        documents.append(b"x" * (24 * 2**20))
        kept.append(b"y" * 100_000)
    del documents
    gc.collect()
print(resident_mib() - before)
"""


def grown_mib(how: str) -> float:
    command = [sys.executable, "-c", SCRIPT, how]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="others have no such habit")
def test_large_blocks_are_returned_where_they_would_not_be() -> None:
    assert grown_mib("returned") < 30
    assert grown_mib("left alone") > 30
