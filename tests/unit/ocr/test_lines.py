"""Lines are cut out, batched and decoded."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from absah_ocr import angle, crops, geometry, recognition

ALPHABET = ["", "a", "b", "c", " "]


def decode(*labels: int, sure: float = 0.9) -> recognition.Reading:
    return recognition.decode(np.array(labels), np.full(len(labels), sure), ALPHABET)


def test_a_slanting_line_is_cut_out_level() -> None:
    page = np.full((300, 600, 3), 255, np.uint8)
    quad = geometry.from_rotated_rectangle((300, 150), (300, 48), 12)
    stripe = geometry.from_rotated_rectangle((300, 150), (300, 16), 12)
    cv2.fillPoly(page, [np.round(stripe).astype(np.int32)], (0, 0, 0))
    line = crops.straighten(page, quad)
    assert line.shape[0] == crops.HEIGHT
    assert line[20:28, 10:-10].mean() < 10
    assert line[:10, 10:-10].mean() > 245
    assert line[-10:, 10:-10].mean() > 245


@pytest.mark.parametrize("height", [9, 48, 200])
def test_lines_of_any_height_get_proportional_widths(height: int) -> None:
    page = np.zeros((400, 2500, 3), np.uint8)
    quad = geometry.from_rotated_rectangle((1200, 200), (10 * height, height), 0)
    assert crops.straighten(page, quad).shape == (48, 420, 3)


def test_an_endless_line_is_squeezed() -> None:
    quad = geometry.from_rotated_rectangle((5000, 5), (10000, 4), 0)
    line = crops.straighten(np.zeros((10, 10000, 3), np.uint8), quad)
    assert line.shape == (48, crops.MAX_WIDTH, 3)


def test_turning_twice_changes_nothing() -> None:
    line = np.random.default_rng(0).integers(0, 255, (48, 100, 3), dtype=np.uint8)
    assert (crops.turned(crops.turned(line)) == line).all()
    assert not (crops.turned(line) == line).all()


@pytest.mark.parametrize("width", range(8, 3200, 37))
def test_a_bucket_holds_the_line_and_wastes_little(width: int) -> None:
    bucket = recognition.bucket(width)
    assert width <= bucket < width + max(32, width / 8 + 1)


def test_lines_of_similar_width_share_a_bucket() -> None:
    assert len({recognition.bucket(width) for width in range(490, 512)}) == 1


def test_a_batch_holds_the_lines_and_grey() -> None:
    lines = [np.full((48, 50, 3), 7, np.uint8), np.full((48, 64, 3), 9, np.uint8)]
    batch = recognition.batch(lines, 64)
    assert batch.shape == (2, 48, 64, 3)
    assert (batch[0, :, :50] == 7).all() and (batch[0, :, 50:] == recognition.PADDING).all()
    assert (batch[1] == 9).all()


def test_repeated_labels_are_one_character_unless_a_blank_parts_them() -> None:
    assert decode(0, 1, 1, 0, 1, 2, 2, 0).text == "aab"


def test_confidence_is_the_mean_of_first_steps() -> None:
    reading = recognition.decode(np.array([1, 1, 0, 2]), np.array([0.8, 0.1, 0.9, 0.6]), ALPHABET)
    assert reading.text == "ab"
    assert reading.confidence == pytest.approx(0.7)


def test_a_line_of_blanks_is_empty_and_not_sure() -> None:
    assert decode(0, 0, 0) == recognition.Reading(text="", confidences=())
    assert decode(0).confidence == 0


def test_a_gap_between_letters_is_a_space_that_was_lost() -> None:
    labels = [1, 0, 2, 0, 1, 0, 0, 0, 0, 0, 2, 0, 1]
    assert decode(*labels).text == "aba ba"
    assert len(decode(*labels).confidences) == 6


def test_evenly_wide_letters_get_no_spaces() -> None:
    assert decode(1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 2).text == "abab"


def test_the_angle_of_a_long_line_is_judged_by_its_middle() -> None:
    line = np.zeros((48, 592, 3), np.uint8)
    line[:, 200:392] = 200
    assert (angle.sample(line) == 200).all()


def test_a_short_line_is_filled_up_for_the_angle() -> None:
    sample = angle.sample(np.zeros((48, 60, 3), np.uint8))
    assert sample.shape == (48, angle.WIDTH, 3)
    assert (sample[:, 60:] == recognition.PADDING).all()
