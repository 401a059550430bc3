"""What a process answers cannot change under who reads it."""

from __future__ import annotations

import mmap

import pytest

from absah_server.decode import memory
from absah_server.decode.codec import Malformed


def test_a_file_that_somebody_has_mapped_for_writing_is_refused() -> None:
    with memory.anonymous("test") as file:
        file.write(b"12345")
        file.flush()
        held = mmap.mmap(file.fileno(), 5)
        with pytest.raises(Malformed):
            memory.frozen_view(file)
        held.close()
        assert bytes(memory.frozen_view(file)) == b"12345"


def test_a_frozen_file_takes_no_more_writes() -> None:
    with memory.anonymous("test") as file:
        file.write(b"12345")
        file.flush()
        view = memory.frozen_view(file)
        with pytest.raises(OSError):
            file.truncate(0)
        assert bytes(view) == b"12345"
