"""The embedded thumbnail is compared with the picture that it should show."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from absah_authenticity import thumbnails
from absah_sdk import DocumentUnreadable


def shrunk(picture: np.ndarray, size: tuple[int, int] = (160, 120)) -> np.ndarray:
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return cv2.resize(grey, size, interpolation=cv2.INTER_AREA)


def test_a_picture_s_own_thumbnail_agrees(make_photo) -> None:
    photo = make_photo(seed=1)
    found = thumbnails.compare(shrunk(photo), photo)
    assert found.correlation > 0.95
    assert found.changed is None


def test_another_picture_s_thumbnail_does_not(make_photo) -> None:
    found = thumbnails.compare(shrunk(make_photo(seed=2)), make_photo(seed=3))
    assert found.correlation < 0.75


def test_a_turned_thumbnail_with_bars_agrees(make_photo) -> None:
    photo = make_photo(480, 270, seed=4)
    barred = np.zeros((120, 160), np.uint8)
    barred[15:105] = shrunk(photo, (160, 90))
    assert thumbnails.compare(np.rot90(barred), photo).correlation > 0.9


def test_what_was_painted_over_since_is_located(make_photo) -> None:
    photo = make_photo(seed=5)
    changed = photo.copy()
    changed[200:290, 300:420] = np.where(photo[200:290, 300:420] > 128, 10, 245)
    found = thumbnails.compare(shrunk(photo), changed)
    left, top = found.changed.left, found.changed.top
    assert 250 < left * 480 < 420
    assert 160 < top * 360 < 290
    assert found.changed_share > 0.01


def test_a_plain_picture_cannot_be_compared() -> None:
    plain = np.full((120, 160, 3), 128, np.uint8)
    assert thumbnails.compare(shrunk(plain), plain).correlation is None


def test_a_thumbnail_that_is_no_picture_is_unreadable() -> None:
    with pytest.raises(DocumentUnreadable):
        thumbnails.decode(b"\xff\xd8\xff\xdb")
    with pytest.raises(DocumentUnreadable):
        thumbnails.decode(b"")


def test_a_thumbnail_is_decoded_to_grey(make_photo, save) -> None:
    assert thumbnails.decode(save(make_photo(160, 120))).ndim == 2
