"""The size at which a page is looked at follows from its letters."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from absah_ocr import scale


def written(size: int, *, page: tuple[int, int] = (1000, 1000)) -> NDArray[np.uint8]:
    image = Image.new("RGB", page, "white")
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(size)
    for y in range(20, page[1] - 2 * size, 2 * size):
        draw.text((20, y), "Pemerintah Kabupaten melaksanakan", fill=(30, 30, 30), font=font)
    return np.asarray(image)


@pytest.mark.parametrize("size", [14, 24, 48])
def test_letters_are_measured(size: int) -> None:
    measured = scale.letter_height(written(size))
    assert measured == pytest.approx(0.62 * size, rel=0.25)


def test_specks_of_dirt_hardly_change_the_measure() -> None:
    pixels = written(40).copy()
    generator = np.random.default_rng(0)
    for x, y in generator.integers(0, 990, (400, 2)):
        pixels[y : y + 6, x : x + 3] = 40
    assert scale.letter_height(pixels) == pytest.approx(scale.letter_height(written(40)), rel=0.2)


def test_a_blank_page_has_no_letters_and_is_not_enlarged() -> None:
    blank = np.full((500, 400, 3), 255, np.uint8)
    assert scale.letter_height(blank) is None
    assert scale.first(blank) == 1.0


def test_small_letters_are_enlarged_and_large_ones_reduced() -> None:
    assert scale.first(written(12, page=(300, 200))) > 1.5
    assert scale.first(written(90, page=(3000, 3000))) < 0.4


@pytest.mark.parametrize("page", [(8000, 6000), (30_000, 40), (12_000, 300)])
def test_the_largest_pages_stay_within_bounds(page: tuple[int, int]) -> None:
    width, height = page
    pixels = np.full((height, width, 3), 200, np.uint8)
    factor = scale.first(pixels)
    assert width * height * factor**2 <= 1.3e6
    assert max(page) * factor <= 2400


def test_lines_of_good_height_need_no_second_look() -> None:
    assert scale.second(written(24), 1.0, 30.0) is None


def test_lines_that_came_out_too_low_are_looked_at_larger() -> None:
    better = scale.second(written(24), 0.5, 14.0)
    assert better is not None and better > 1.0
