"""Pages are made only from what an honest worker can have answered."""

import numpy as np
import pytest

from absah_server.decode import pages
from absah_server.decode.codec import Malformed
from absah_server.decode.limits import DecodeLimits

LIMITS = DecodeLimits(max_pixels=100, max_side=20, max_pages=3, max_frames=5)


def page(**changes):
    pixels = np.zeros((4, 5, 3), np.uint8)
    return {"pixels": pixels, "orientation": 1, "dpi": 200.0, "runs": []} | changes


def value(*made, frames=3):
    return {"frames": frames, "pages": list(made) or [page()]}


def test_pages_are_numbered_from_one():
    run = ("Surat", 1.0, 2.0, 3.0, 4.0)
    made = pages.from_value(value(page(), page(runs=[run])), LIMITS)
    assert [p.number for p in made.pages] == [1, 2]
    assert made.pages[1].text_runs[0].text == "Surat"
    assert made.frames == 3


def test_released_pages_are_gone():
    made = pages.from_value(value(), LIMITS)
    made.release()
    assert not made.pages


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        {},
        {"frames": 1, "pages": []},
        value(frames=0),
        value(frames=1 << 60),
        value(frames="3"),
        value(*[page()] * 4, frames=4),
        value(page(pixels=np.zeros((4, 5), np.uint8))),
        value(page(pixels=np.zeros((4, 5, 4), np.uint8))),
        value(page(pixels=np.zeros((4, 5, 3), np.int8))),
        value(page(pixels=np.zeros((0, 5, 3), np.uint8))),
        value(page(pixels=np.zeros((1, 21, 3), np.uint8))),
        value(page(pixels=np.zeros((11, 10, 3), np.uint8))),
        value(page(pixels=b"")),
        value(page(orientation=9)),
        value(page(dpi=float("nan"))),
        value(page(dpi="200")),
        value(page(runs=[("a", 1.0, 2.0, 3.0)])),
        value(page(runs=[("a", 1.0, 2.0, 3.0, float("inf"))])),
        value(page(runs=[(b"a", 1.0, 2.0, 3.0, 4.0)])),
    ],
)
def test_anything_else_is_malformed(wrong):
    with pytest.raises(Malformed):
        pages.from_value(wrong, LIMITS)
