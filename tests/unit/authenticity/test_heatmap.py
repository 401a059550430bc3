"""The heatmap is a grey PNG of the file's own size."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from absah_authenticity import heatmap


def test_a_map_is_drawn_at_the_size_of_the_picture_in_eight_bit_grey() -> None:
    map_ = np.zeros((5, 8), np.float32)
    map_[:, 4:] = 1
    drawn = heatmap.draw(map_, (64, 40), 1)
    picture = Image.open(io.BytesIO(drawn.content))
    assert (drawn.name, drawn.media_type) == ("heatmap", "image/png")
    assert (picture.size, picture.mode) == ((64, 40), "L")
    assert picture.getpixel((5, 20)) == 0
    assert picture.getpixel((60, 20)) == 255


@pytest.mark.parametrize("turned", [1, 3, 6])
def test_a_heatmap_turns_in_viewers_as_its_picture_does(turned: int) -> None:
    drawn = heatmap.draw(np.full((3, 4), 0.5, np.float32), (40, 30), turned)
    picture = Image.open(io.BytesIO(drawn.content))
    assert picture.size == (40, 30)
    assert picture.getexif().get(0x0112, 1) == turned
    picture.load()
    assert picture.getpixel((20, 15)) == 128
