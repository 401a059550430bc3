"""Regions carry tensors, leave no file, and tell whose they are by their names."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from absah_server.inference.triton import shared_memory
from absah_server.inference.triton.shared_memory import Region


def name_of(pid: int, began: str) -> str:
    return f"absah.{shared_memory._own_space()}.{pid}.{began}.0a1b2c3d.0"


def test_a_region_carries_tensors_of_any_type_and_leaves_no_file() -> None:
    region = Region("absah.test.carries", 1 << 16)
    numbers = np.arange(12, dtype=np.int64).reshape(3, 4)
    turned = np.arange(6, dtype=np.float32).reshape(2, 3).T
    region.write(0, numbers)
    region.write(256, turned)
    read = region.read(0, numbers.dtype, numbers.shape)
    region.write(0, numbers * 0)
    np.testing.assert_array_equal(read, numbers)
    np.testing.assert_array_equal(region.read(256, turned.dtype, turned.shape), turned)
    assert (shared_memory.FOLDER / region.name).exists()
    region.close()
    assert not (shared_memory.FOLDER / region.name).exists()


def test_a_region_without_room_is_refused_and_leaves_no_file() -> None:
    with pytest.raises(OSError):
        Region("absah.test.no-room", 1 << 50)
    assert not (shared_memory.FOLDER / "absah.test.no-room").exists()


def test_only_regions_of_processes_that_are_gone_are_left_behind() -> None:
    own = shared_memory._identity(os.getpid()).split(".")
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert not shared_memory._is_left_behind(name_of(int(own[0]), own[1]))
    assert shared_memory._is_left_behind(name_of(ended.pid, "5"))
    assert shared_memory._is_left_behind(name_of(int(own[0]), "5")), "the id was given anew"
    assert not shared_memory._is_left_behind("somebody else's")
    other_space = name_of(ended.pid, "5").replace(f".{shared_memory._own_space()}.", ".1.")
    assert not shared_memory._is_left_behind(other_space), "ids of another container say nothing"
