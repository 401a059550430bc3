"""Quads keep their corners' meaning through turns."""

from __future__ import annotations

import numpy as np
import pytest

from absah_ocr import geometry

LEVEL = np.array([[10, 20], [110, 20], [110, 40], [10, 40]], np.float32)


def test_a_rectangle_told_with_its_sides_swapped_is_the_same_line() -> None:
    one = geometry.from_rotated_rectangle((60, 30), (100, 20), 0)
    other = geometry.from_rotated_rectangle((60, 30), (20, 100), 90)
    assert one == pytest.approx(LEVEL)
    assert other == pytest.approx(LEVEL, abs=1e-3)


@pytest.mark.parametrize("degrees", [-40, -3, 0, 12, 44])
def test_reading_direction_is_kept(degrees: float) -> None:
    quad = geometry.from_rotated_rectangle((200, 200), (100, 20), degrees)
    assert np.rad2deg(geometry.angles(quad[None])) == pytest.approx([degrees], abs=1e-3)
    assert geometry.widths(quad[None]) == pytest.approx([100], abs=1e-3)
    assert geometry.heights(quad[None]) == pytest.approx([20], abs=1e-3)


def test_a_line_that_runs_up_the_page_is_laid_down_and_read_from_its_lower_end() -> None:
    tall = geometry.from_rotated_rectangle((50, 100), (20, 160), 0)
    (laid,) = geometry.laid_down(tall[None])
    assert laid[0] == pytest.approx([40, 180])  # reading begins at the bottom
    assert laid[1] == pytest.approx([40, 20])
    assert geometry.widths(laid[None]) == pytest.approx([160])


def test_a_level_line_is_not_laid_down() -> None:
    assert geometry.laid_down(LEVEL[None])[0] == pytest.approx(LEVEL)


@pytest.mark.parametrize("quarter_turns", [0, 1, 2, 3])
def test_a_place_found_on_a_turned_page_leads_back_to_the_same_ink(quarter_turns: int) -> None:
    page = np.zeros((60, 90, 3), np.uint8)
    page[10:14, 70:74] = 255
    turned = geometry.turn_page(page, quarter_turns)
    rows, columns = np.nonzero(turned[..., 0])
    left, right = columns.min(), columns.max() + 1
    top, bottom = rows.min(), rows.max() + 1
    found = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)
    back = geometry.turn_back(found[None], quarter_turns, (90, 60))[0]
    assert back.min(axis=0) == pytest.approx([70, 10])
    assert back.max(axis=0) == pytest.approx([74, 14])


def test_a_line_on_its_head_is_read_from_the_other_end() -> None:
    (turned,) = geometry.on_their_heads(LEVEL[None], (200, 100))
    assert turned[0] == pytest.approx([90, 60])
    assert turned[1] == pytest.approx([190, 60])
