"""Commands in pipes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_a_reader_that_leaves_is_no_error_to_tell() -> None:
    absah = Path(sys.executable).with_name("absah")
    ended = subprocess.run(
        f"{absah} models --json | true", shell=True, capture_output=True, text=True, timeout=60
    )
    assert ended.stderr == ""
