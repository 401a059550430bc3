"""Pictures and boxes turn together, as Pillow turns pictures."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageOps

from absah_authenticity import orientation
from absah_sdk import Box


@pytest.mark.parametrize("turned", range(1, 9))
def test_upright_pixels_turn_back_to_what_was_stored(turned: int) -> None:
    stored = np.random.default_rng(0).integers(0, 255, (4, 6, 3), dtype=np.uint8)
    picture = Image.fromarray(stored)
    picture.getexif()[0x0112] = turned
    upright = np.array(ImageOps.exif_transpose(picture))
    assert np.array_equal(orientation.to_stored(upright, turned), stored)


@pytest.mark.parametrize("turned", range(1, 9))
def test_a_box_turns_with_the_pixels_under_it(turned: int) -> None:
    stored = np.zeros((40, 60), np.uint8)
    stored[4:12, 6:30] = 255
    box = Box.from_pixels(6, 4, 30, 12, page_size=(60, 40))
    picture = Image.fromarray(stored)
    picture.getexif()[0x0112] = turned
    upright = np.array(ImageOps.exif_transpose(picture))
    turned_box = orientation.to_upright(box, turned)
    height, width = upright.shape
    left, top = round(turned_box.left * width), round(turned_box.top * height)
    right = round((turned_box.left + turned_box.width) * width)
    bottom = round((turned_box.top + turned_box.height) * height)
    assert upright[top:bottom, left:right].min() == 255
    assert (upright == 255).sum() == (bottom - top) * (right - left)
