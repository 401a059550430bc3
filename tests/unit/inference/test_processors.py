"""The processors of a container are those of its quota."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from absah_server.inference.processors import available_processors

ALL = len(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("quota", "count"),
    [
        ("max 100000\n", ALL),
        ("100000 100000\n", 1),
        ("1000 100000\n", 1),
        ("99900000 100000\n", ALL),
        ("nonsense", ALL),
    ],
)
def test_a_quota_bounds_the_processors(tmp_path: Path, quota: str, count: int) -> None:
    file = tmp_path / "cpu.max"
    file.write_text(quota)
    assert available_processors(file) == count


def test_without_a_quota_all_count(tmp_path: Path) -> None:
    assert available_processors(tmp_path / "cpu.max") == ALL
