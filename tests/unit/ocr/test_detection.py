"""Lines are read off a probability map as they were drawn into it."""

from __future__ import annotations

import numpy as np
import pytest
from unit.ocr.drawing import probability_map

from absah_ocr import detection, geometry


def test_a_core_is_grown_by_area_over_perimeter() -> None:
    probability = probability_map((320, 160), (100, 80, 120, 12, 0))
    (quad,) = detection.lines(probability, (320, 160))
    # 120 x 12 pixels, contours through their centres and one more from dilation
    margin = 120 * 12 * 1.6 / (2 * (120 + 12))
    width, height = geometry.widths(quad[None])[0], geometry.heights(quad[None])[0]
    assert width == pytest.approx(120 + 2 * margin, abs=3)
    assert height == pytest.approx(12 + 2 * margin, abs=3)
    assert quad.mean(axis=0) == pytest.approx([100, 80], abs=1.5)


def test_a_slanting_line_keeps_its_slant() -> None:
    probability = probability_map((640, 480), (320, 240, 300, 14, 17))
    (quad,) = detection.lines(probability, (640, 480))
    assert np.rad2deg(geometry.angles(quad[None])[0]) == pytest.approx(17, abs=1)


def test_quads_are_told_in_pixels_of_the_page() -> None:
    probability = probability_map((320, 160), (100, 80, 120, 12, 0))
    (quad,) = detection.lines(probability, (960, 320))
    assert quad.mean(axis=0) == pytest.approx([300, 160], abs=4)


def test_a_faint_core_is_no_line() -> None:
    assert not len(
        detection.lines(probability_map((320, 160), (99, 80, 90, 12, 0)) / 2, (320, 160))
    )


def test_an_empty_map_has_no_lines() -> None:
    assert detection.lines(np.zeros((64, 64), np.float32), (64, 64)).shape == (0, 4, 2)


def test_text_inside_a_ring_is_found_and_the_hole_is_not() -> None:
    probability = probability_map((400, 400), (200, 200, 300, 300, 0))
    probability[60:340, 60:340] = 0
    probability[194:206, 140:260] = 0.9
    centres = [quad.mean(axis=0) for quad in detection.lines(probability, (400, 400))]
    inside = [centre for centre in centres if abs(centre - 200).max() < 10]
    assert len(inside) <= 2  # the text, and the ring that surrounds it
    heights = geometry.heights(detection.lines(probability, (400, 400)))
    assert heights.min() < 50


def test_a_page_of_specks_gives_a_bounded_number_of_lines() -> None:
    probability = np.zeros((800, 800), np.float32)
    for y in range(4, 790, 12):
        for x in range(4, 790, 14):
            probability[y : y + 6, x : x + 8] = 0.9
    assert len(detection.lines(probability, (800, 800))) == 1000


@pytest.mark.parametrize("scale", [0.3, 1.0, 2.5])
def test_a_page_is_resized_to_multiples_of_the_stride(scale: float) -> None:
    height, width = detection.resize(np.zeros((301, 517, 3), np.uint8), scale).shape[:2]
    assert height % detection.STRIDE == 0 and width % detection.STRIDE == 0
    assert height == pytest.approx(301 * scale, abs=16)


def test_the_thinnest_page_is_still_one_stride_high() -> None:
    assert detection.resize(np.zeros((3, 900, 3), np.uint8), 1.0).shape == (32, 896, 3)
