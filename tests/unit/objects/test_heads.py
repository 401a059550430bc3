"""Each head reads boxes out of tensors whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from absah_objects import heads
from absah_objects.description import Description
from absah_sdk.checking import Array

LABELS = ("person", "clock", "boat")
CANVAS = (64, 32)
POINTS = 8 * 4 + 4 * 2 + 2 * 1


def describe(head: str, **parameters: object) -> Description:
    values = {"labels": LABELS, "head": head, "sizes": "64x32", **parameters}
    return Description.model_validate(values)


def nanodet_outputs(points: int = POINTS, bins: int = 11) -> dict[str, Array]:
    return {
        "scores": np.zeros((points, len(LABELS)), np.float32),
        "boxes": np.zeros((points, 4 * bins), np.float32),
    }


def place(row: Array, distances: tuple[int, int, int, int], bins: int = 11) -> None:
    """Make a point's four distributions certain of these distances, counted in strides."""
    for side, distance in enumerate(distances):
        row[side * bins + distance] = 50.0


def test_nanodet_measures_from_the_centre_of_its_cell() -> None:
    outputs = nanodet_outputs()
    index = 8 + 3  # second row, fourth column of the grid of stride 8: (28, 12)
    outputs["scores"][index] = (0.1, 0.9, 0.2)
    place(outputs["boxes"][index], (2, 1, 1, 2))
    found = heads.load("nanodet")(outputs, CANVAS, describe("nanodet"), 0.5)
    assert found.corners.tolist() == [[12.0, 4.0, 36.0, 28.0]]
    assert found.classes.tolist() == [1]
    assert found.confidences.tolist() == pytest.approx([0.9])


def test_nanodet_counts_in_the_stride_of_each_grid() -> None:
    outputs = nanodet_outputs()
    index = POINTS - 1  # the last point of the grid of stride 32: (48, 16)
    outputs["scores"][index, 2] = 0.7
    place(outputs["boxes"][index], (1, 0, 0, 0))
    found = heads.load("nanodet")(outputs, CANVAS, describe("nanodet"), 0.5)
    assert found.corners.tolist() == [[16.0, 16.0, 48.0, 16.0]]


def test_nanodet_answers_the_mean_of_an_uncertain_distance() -> None:
    outputs = nanodet_outputs()
    outputs["scores"][0, 0] = 0.6
    row = outputs["boxes"][0]
    row[:] = -50.0
    for side in range(4):
        row[side * 11 + 2] = row[side * 11 + 3] = 1.0
    found = heads.load("nanodet")(outputs, CANVAS, describe("nanodet"), 0.5)
    assert found.corners[0] == pytest.approx([4 - 20, 4 - 20, 4 + 20, 4 + 20])


def test_nanodet_tells_one_point_twice_if_two_classes_are_likely() -> None:
    outputs = nanodet_outputs()
    outputs["scores"][5] = (0.8, 0.0, 0.6)
    found = heads.load("nanodet")(outputs, CANVAS, describe("nanodet"), 0.5)
    assert found.classes.tolist() == [0, 2]
    assert found.corners[0].tolist() == found.corners[1].tolist()


def test_nanodet_reads_scores_and_boxes_that_lie_in_one_output() -> None:
    apart = nanodet_outputs()
    apart["scores"][7, 1] = 0.9
    place(apart["boxes"][7], (3, 2, 1, 0))
    decode, description = heads.load("nanodet"), describe("nanodet")
    joined = {"output": np.concatenate([apart["scores"], apart["boxes"]], axis=1)}
    left = decode(apart, CANVAS, description, 0.5)
    right = decode(joined, CANVAS, description, 0.5)
    assert left.corners.tolist() == right.corners.tolist()
    assert left.classes.tolist() == right.classes.tolist()


def test_nanodet_plus_has_a_fourth_grid_and_measures_from_corners() -> None:
    description = describe("nanodet", strides="8 16 32 64", centre="0")
    outputs = nanodet_outputs(points=POINTS + 1, bins=8)
    outputs["scores"][POINTS, 0] = 0.9  # the one point of the grid of stride 64: (0, 0)
    place(outputs["boxes"][POINTS], (0, 0, 1, 2), bins=8)
    found = heads.load("nanodet")(outputs, CANVAS, description, 0.5)
    assert found.corners[0] == pytest.approx([0.0, 0.0, 64.0, 128.0])


def test_yolov8_turns_centre_and_size_into_corners() -> None:
    output = np.zeros((4 + len(LABELS), 84), np.float32)
    output[:4, 10] = (30.0, 16.0, 20.0, 8.0)
    output[4 + 2, 10] = 0.8
    found = heads.load("yolov8")({"output0": output}, CANVAS, describe("yolov8"), 0.5)
    assert found.corners.tolist() == [[20.0, 12.0, 40.0, 20.0]]
    assert found.classes.tolist() == [2]
    assert found.confidences.tolist() == pytest.approx([0.8])


def test_yolox_decodes_offsets_and_logarithms_in_strides() -> None:
    output = np.zeros((POINTS, 5 + len(LABELS)), np.float32)
    index = 32 + 4 + 1  # second row, second column of the grid of stride 16: corner (16, 16)
    output[index] = (0.5, 0.25, np.log(2.0), np.log(0.5), 0.8, 0.0, 0.5, 0.0)
    found = heads.load("yolox")({"output": output}, CANVAS, describe("yolox"), 0.3)
    assert found.corners[0] == pytest.approx([24 - 16, 20 - 4, 24 + 16, 20 + 4])
    assert found.classes.tolist() == [1]
    assert found.confidences.tolist() == pytest.approx([0.4])


def test_yolox_does_not_overflow_on_absurd_sizes() -> None:
    output = np.full((POINTS, 5 + len(LABELS)), 1e4, np.float32)
    found = heads.load("yolox")({"output": output}, CANVAS, describe("yolox"), 0.3)
    assert np.isfinite(found.corners).all()


@pytest.mark.parametrize("head", ["nanodet", "yolov8", "yolox"])
def test_a_picture_without_objects_gives_no_boxes(head: str) -> None:
    outputs: dict[str, dict[str, Array]] = {
        "nanodet": nanodet_outputs(),
        "yolov8": {"output0": np.zeros((7, 84), np.float32)},
        "yolox": {"output": np.zeros((POINTS, 8), np.float32)},
    }
    found = heads.load(head)(outputs[head], CANVAS, describe(head), 0.1)
    assert len(found) == 0
    assert found.corners.shape == (0, 4)


@pytest.mark.parametrize(
    ("head", "outputs"),
    [
        ("nanodet", nanodet_outputs(points=POINTS - 1)),
        ("nanodet", {"output": np.zeros((POINTS, 3), np.float32)}),
        ("nanodet", {name: np.zeros((POINTS, 3), np.float32) for name in "abc"}),
        ("yolov8", {"output0": np.zeros((84, 7), np.float32)}),
        ("yolov8", {"a": np.zeros((7, 84), np.float32), "b": np.zeros((7, 84), np.float32)}),
        ("yolox", {"output": np.zeros((POINTS, 9), np.float32)}),
        ("yolox", {}),
    ],
)
def test_outputs_of_another_form_are_refused(head: str, outputs: dict[str, Array]) -> None:
    with pytest.raises(ValueError, match=r"output|points|scores"):
        heads.load(head)(outputs, CANVAS, describe(head), 0.5)


def test_a_head_is_known_by_its_file() -> None:
    assert heads.names() == ("nanodet", "yolov8", "yolox")


def test_an_unknown_head_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(ValueError, match=r"'ssd'; known are nanodet, yolov8, yolox"):
        heads.load("ssd")
