"""Pages lie on canvases as models expect them, and boxes find their way back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from absah_objects import preprocess
from absah_objects.description import Description
from absah_objects.detections import Detections


def describe(**parameters: object) -> Description:
    values = {"labels": ("person",), "head": "nanodet", "sizes": "320", **parameters}
    return Description.model_validate(values)


def detections(*corners: tuple[float, float, float, float]) -> Detections:
    return Detections(
        corners=np.array(corners, np.float32),
        classes=np.zeros(len(corners), np.int32),
        confidences=np.ones(len(corners), np.float32),
    )


def test_a_flexible_canvas_follows_the_page_and_ends_on_the_stride() -> None:
    layout = preprocess.lay_out((4000, 2250), "448", describe())
    assert layout.content == (448, 252)
    assert layout.canvas == (448, 256)
    assert layout.offset == (0, 2)


def test_an_upright_page_gets_an_upright_canvas() -> None:
    assert preprocess.lay_out((600, 800), "320", describe()).canvas == (256, 320)


def test_a_fixed_canvas_is_padded_on_both_sides() -> None:
    layout = preprocess.lay_out((1000, 500), "640x640", describe(sizes="640x640"))
    assert layout.canvas == (640, 640)
    assert layout.content == (640, 320)
    assert layout.offset == (0, 160)


def test_a_picture_may_lie_in_the_corner() -> None:
    description = describe(sizes="640x640", placement="corner")
    assert preprocess.lay_out((1000, 500), "640x640", description).offset == (0, 0)


@given(
    page=st.tuples(st.integers(64, 5000), st.integers(64, 5000)),
    size=st.sampled_from(["320", "608", "640x640", "640x384"]),
    placement=st.sampled_from(["centre", "corner"]),
    box=st.tuples(*[st.floats(0, 0.4)] * 2, *[st.floats(0.6, 1)] * 2),
)
def test_a_box_laid_out_and_brought_back_is_where_it_was(
    page: tuple[int, int], size: str, placement: str, box: tuple[float, float, float, float]
) -> None:
    layout = preprocess.lay_out(page, size, describe(placement=placement))
    fractions = np.array(box)
    on_canvas = fractions * np.tile(layout.content, 2) + np.tile(layout.offset, 2)
    back = layout.to_page(detections(tuple(on_canvas)))
    assert back.corners[0] / np.tile(page, 2) == pytest.approx(fractions, abs=1e-3)
    assert all(c >= s for c, s in zip(layout.canvas, layout.content, strict=True))


def test_boxes_are_clipped_to_the_page_and_those_in_the_padding_are_left_out() -> None:
    layout = preprocess.lay_out((640, 320), "640x640", describe())
    back = layout.to_page(detections((-9, 150, 700, 200), (10, 20, 60, 150)))
    assert back.corners.tolist() == [[0.0, 0.0, 640.0, 40.0]]


def test_a_tensor_is_normalised_in_the_order_of_colours_that_the_model_wants() -> None:
    pixels = np.full((320, 320, 3), (10, 20, 30), np.uint8)
    description = describe(colour="BGR", mean="1 2 3", std="2 4 8")
    (view,) = preprocess.views(pixels, description, ["320"])
    assert view.tensor.dtype == np.float32
    assert view.tensor.shape == (1, 3, 320, 320)
    assert view.tensor[0, :, 160, 160].tolist() == [(30 - 1) / 2, (20 - 2) / 4, (10 - 3) / 8]


def test_padding_has_the_colour_that_the_model_was_trained_with() -> None:
    pixels = np.zeros((100, 200, 3), np.uint8)
    description = describe(padding="114", std="1 1 1")
    (view,) = preprocess.views(pixels, description, ["320x320"])
    assert view.tensor[0, :, 0, 0].tolist() == [114.0] * 3
    assert view.tensor[0, :, 160, 160].tolist() == [0.0] * 3


def test_a_page_that_may_not_be_written_to_is_left_alone() -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (1500, 2000, 3), np.uint8)
    pixels.flags.writeable = False
    before = pixels.copy()
    views = preprocess.views(pixels, describe(), ["320", "608"])
    assert [view.tensor.shape for view in views] == [(1, 3, 256, 320), (1, 3, 480, 608)]
    assert not any(np.shares_memory(view.tensor, pixels) for view in views)
    assert (pixels == before).all()


def test_deviation_tells_an_even_surface_from_a_picture() -> None:
    description = describe(mean="100 110 120", std="50 60 70")
    even = np.full((200, 300, 3), 90, np.uint8)
    striped = even.copy()
    striped[:, ::2] = 110
    (view,) = preprocess.views(even, description, ["320x320"])
    assert preprocess.deviation(view, description) < 0.01
    (view,) = preprocess.views(np.repeat(striped, 3, axis=1), description, ["320x320"])
    assert preprocess.deviation(view, description) > 5
