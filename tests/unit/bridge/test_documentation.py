"""docs/legacy-bridge.md names every key of bridge.yaml and every cause of parking."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from absah_bridge import config
from absah_bridge.errors import Cause

TEXT = (Path(__file__).parents[3] / "docs" / "legacy-bridge.md").read_text()
WORDS = {
    word for code in re.findall(r"`([^`\n]+)`", TEXT) for word in re.split(r"[^A-Za-z0-9_-]+", code)
}


@pytest.mark.parametrize(
    "part",
    [
        part
        for part in vars(config).values()
        if isinstance(part, type) and issubclass(part, config.Part)
    ],
    ids=lambda part: part.__name__,
)
def test_every_key_is_documented(part: type[config.Part]) -> None:
    keys = {field.alias or name for name, field in part.model_fields.items()}
    assert keys - WORDS == set()


def test_every_cause_is_documented() -> None:
    assert {cause.value for cause in Cause} - WORDS == set()
