"""Count the processors that this process may use."""

from __future__ import annotations

import math
import os
from pathlib import Path

_CGROUP_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def available_processors(quota_file: Path = _CGROUP_QUOTA) -> int:
    """Processors that this process may run on, less where its container has a smaller quota.

    The quota is that of cgroup v2's cpu.max: "max 100000" or "150000 100000", microseconds of
    processor time in a period; 1.5 processors count as 2.
    """
    count = len(os.sched_getaffinity(0))
    try:
        quota, period = quota_file.read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return count
    if quota == "max":
        return count
    return max(1, min(count, math.ceil(int(quota) / int(period))))
