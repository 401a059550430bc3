"""Traces are measured in cells, and differ where a picture was saved differently."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from absah_authenticity import judgeable, traces
from absah_authenticity.settings import AuthenticitySettings


@pytest.mark.parametrize(("width", "height"), [(480, 360), (33, 47), (16, 16), (100, 65)])
def test_each_plane_has_a_value_for_every_cell(width, height, make_photo) -> None:
    planes = traces.measure(make_photo(width, height))
    rows, columns = -(-height // 16) * 4, -(-width // 16) * 4
    assert planes.shape == (traces.PLANES, rows, columns)
    assert planes.dtype == np.float32
    assert np.isfinite(planes).all()


def test_a_part_that_was_saved_coarsely_before_has_lower_error_levels(make_photo) -> None:
    photo = make_photo(seed=1)
    buffer = io.BytesIO()
    Image.fromarray(photo).save(buffer, "JPEG", quality=60, subsampling=0)
    coarse = np.array(Image.open(buffer))
    mixed = photo.copy()
    mixed[:, :240] = coarse[:, :240]
    levels = traces.measure(mixed)[0]
    assert levels[:, :58].mean() < 0.8 * levels[:, 62:].mean()


def test_a_large_picture_is_bounded_and_a_small_one_is_not_touched(make_photo) -> None:
    photo = make_photo(400, 300)
    small = traces.bounded(photo, max_native_pixels=100_000, shrunk_pixels=30_000)
    assert small.shape[0] * small.shape[1] <= 30_000
    assert small.shape[1] / small.shape[0] == pytest.approx(4 / 3, rel=0.02)
    assert traces.bounded(photo, max_native_pixels=200_000, shrunk_pixels=30_000) is photo


def codes(picture: np.ndarray) -> list[str]:
    size = (picture.shape[1], picture.shape[0])
    share = judgeable.flat_share(picture)
    found = judgeable.findings(size, share, None, AuthenticitySettings())
    return [finding.code for finding in found]


def test_a_drawing_cannot_be_judged_and_a_photo_can(make_photo) -> None:
    drawing = np.full((360, 480, 3), 240, np.uint8)
    drawing[100:200, 100:300] = (20, 40, 200)
    assert codes(drawing) == ["too_flat"]
    assert codes(make_photo()) == []


def test_a_tiny_picture_cannot_be_judged(make_photo) -> None:
    assert codes(make_photo(200, 100)) == ["too_small"]


@pytest.mark.parametrize("shape", [(1, 1), (1, 200), (200, 1), (2, 2)])
def test_a_picture_of_a_line_of_pixels_cannot_be_judged(shape) -> None:
    assert "too_small" in codes(np.zeros((*shape, 3), np.uint8))
