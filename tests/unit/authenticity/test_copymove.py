"""Copied parts are found, and what honestly repeats is not taken for one."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from absah_authenticity import copymove


def with_copy(photo: np.ndarray, *, size: int = 110) -> np.ndarray:
    """Copy a square from (40, 50) to (301, 203), at odd places of the JPEG grid."""
    forged = photo.copy()
    forged[203 : 203 + size, 301 : 301 + size] = photo[50 : 50 + size, 40 : 40 + size]
    return forged


def saved(picture: np.ndarray, quality: int) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=quality)
    return np.array(Image.open(buffer))


@pytest.mark.parametrize("quality", [None, 95, 90])
def test_a_copied_square_is_found_at_both_places(quality, make_photo) -> None:
    forged = with_copy(make_photo(seed=11))
    forged = forged if quality is None else saved(forged, quality)
    (copy, *_) = copymove.find(forged)
    (left, right) = sorted((copy.one, copy.other), key=lambda box: box.left)
    assert left.left * 480 == pytest.approx(40, abs=25)
    assert left.top * 360 == pytest.approx(50, abs=25)
    assert right.left * 480 == pytest.approx(301, abs=25)
    assert right.top * 360 == pytest.approx(203, abs=25)
    assert copy.area_share > 0.015
    assert copy.correlation > 0.985


@pytest.mark.parametrize("seed", range(12, 18))
@pytest.mark.parametrize("quality", [95, 75])
def test_honest_photos_hold_no_copies(seed, quality, make_photo) -> None:
    assert copymove.find(saved(make_photo(seed=seed), quality)) == []


def test_a_pattern_that_repeats_everywhere_is_no_copy(make_photo) -> None:
    tile = make_photo(60, 60, seed=19)
    wall = np.tile(tile, (6, 8, 1))
    assert copymove.find(wall) == []


def test_straight_edges_do_not_match_themselves() -> None:
    rng = np.random.default_rng(3)
    stripes = np.repeat(rng.integers(20, 235, (30, 1)), 12, axis=0) * np.ones((1, 480))
    noisy = np.clip(stripes + rng.normal(0, 2, stripes.shape), 0, 255).astype(np.uint8)
    assert copymove.find(np.dstack([noisy] * 3)) == []


def test_words_that_repeat_on_a_page_are_no_copies(make_photo) -> None:
    page = np.full((360, 480, 3), 235, np.uint8)
    word = make_photo(90, 40, seed=21)
    page[60:100, 30:120] = page[200:240, 300:390] = word
    assert copymove.find(page) == []


def test_a_tiny_picture_holds_no_copies(make_photo) -> None:
    assert copymove.find(make_photo(40, 30)) == []


def test_a_copy_in_a_large_picture_is_found_after_shrinking(make_photo) -> None:
    photo = make_photo(1600, 1200, seed=20)
    photo[700:1000, 900:1200] = photo[100:400, 200:500]
    (copy, *_) = copymove.find(photo)
    assert copy.area_share > 0.015
