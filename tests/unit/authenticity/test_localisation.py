"""The network's answer becomes a map, a region and evidence that stays below one half."""

from __future__ import annotations

import numpy as np
import pytest

from absah_authenticity import judging, localisation, traces

SIZE = (158, 118)
ROWS, COLUMNS = 32, 40


def localise(logits: np.ndarray) -> localisation.Localisation:
    planes = np.zeros((traces.PLANES, ROWS, COLUMNS), np.float32)
    return localisation.localise(logits.astype(np.float32), planes, SIZE)


def test_the_map_covers_the_picture_and_not_what_extends_it() -> None:
    found = localise(np.full((ROWS, COLUMNS), -6.0))
    assert found.map_.shape == (30, 40)
    assert found.map_.max() < 0.2
    assert found.box is None
    assert found.evidence == 0
    assert list(localisation.findings(found, 1)) == []


def test_a_sure_region_is_shown_and_its_evidence_is_bounded() -> None:
    logits = np.full((ROWS, COLUMNS), -6.0)
    logits[5:15, 20:30] = 14
    found = localise(logits)
    assert found.evidence == judging.MAX_LOCALISATION
    (finding,) = localisation.findings(found, 1)
    assert finding.code == "inconsistent_traces"
    box = finding.region.box
    assert box.left == pytest.approx(20 / 40, abs=0.05)
    assert box.top == pytest.approx(5 / 30, abs=0.05)
    assert found.map_[10, 25] > 0.5 > found.map_[25, 5]


def test_a_region_is_turned_onto_the_upright_page() -> None:
    logits = np.full((ROWS, COLUMNS), -6.0)
    logits[0:10, 0:10] = 14
    (finding,) = localisation.findings(localise(logits), 3)
    box = finding.region.box
    assert box.left + box.width == pytest.approx(1, abs=0.02)
    assert box.top + box.height == pytest.approx(1, abs=0.02)


def test_a_lone_cell_is_no_evidence() -> None:
    logits = np.full((ROWS, COLUMNS), -6.0)
    logits[12, 12] = 14
    assert localise(logits).evidence == 0


def test_colour_that_changes_unlike_the_rest_lights_up_without_the_network() -> None:
    planes = np.zeros((traces.PLANES, ROWS, COLUMNS), np.float32)
    planes[:, 4:14, 4:14] = 1.5
    found = localisation.localise(np.full((ROWS, COLUMNS), -2.0, np.float32), planes, SIZE)
    assert found.map_[8, 8] > 0.5 > found.map_[22, 30]
    assert found.evidence == 0
