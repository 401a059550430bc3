"""Waits that the broker would cut short, time and again, are refused at start."""

from __future__ import annotations

from pathlib import Path

import pytest

from absah_bridge import config
from absah_bridge.errors import ConfigInvalid

TEXT = """\
systems:
  simpeg:
    consume: {queue: q, ordered_by: nik}
    codec: {kind: json}
    request: {policy: p}
    answer: {fields: {}}
    retries:
      delays_seconds: [300, 600]
"""


def read(folder: Path, text: str) -> config.Bridge:
    (folder / "bridge.yaml").write_text(text)
    return config.read(folder / "bridge.yaml")


def test_waits_in_place_fit_into_the_time_that_a_message_may_be_in_hand(tmp_path: Path) -> None:
    read(tmp_path, TEXT)
    read(tmp_path, TEXT.replace(", ordered_by: nik", "").replace("600", "3600"))
    with pytest.raises(ConfigInvalid, match=r"are 901 s together.*900 at most") as caught:
        read(tmp_path, TEXT.replace("600", "601"))
    assert caught.value.field == "systems.simpeg"
    assert caught.value.line == 2


def test_the_usual_waits_fit(tmp_path: Path) -> None:
    usual = read(tmp_path, TEXT[: TEXT.index("    retries")]).systems["simpeg"].retries
    assert sum(usual.delays_seconds) <= config.LONGEST_WAITS_IN_PLACE_SECONDS
