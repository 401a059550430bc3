"""A folder of models and a policy for photos."""

from __future__ import annotations

from pathlib import Path

import pytest
from integration.inference.drawing import draw_double
from integration.record.photos import KINDS, POLICY, Bench


@pytest.fixture
def bench(tmp_path: Path, database_url: str) -> Bench:
    for version, factor in ((1, 2.0), (2, 3.0)):
        draw_double(tmp_path / "models", version=version, factor=factor)
    made = Bench(folder=tmp_path, database_url=database_url)
    made.promote("1")
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "photos.yaml").write_text(POLICY)
    for kind in KINDS:
        kind.runs = 0
    return made
