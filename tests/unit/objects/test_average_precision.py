"""The measure of detections gives what can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from absah_ops.models.golden import average_precision
from absah_ops.models.golden.average_precision import Boxes

SQUARE = (0.0, 0.0, 10.0, 10.0)
ELSEWHERE = (50.0, 50.0, 60.0, 60.0)
NARROWER = (0.0, 0.0, 7.7, 10.0)
"""Overlaps SQUARE by 0.77: enough at 0.50 to 0.75, too little from 0.80 on."""


def boxes(*rows: tuple[tuple[float, float, float, float], int, float]) -> Boxes:
    return Boxes(
        corners=np.array([corners for corners, _, _ in rows], np.float64).reshape(-1, 4),
        classes=np.array([label for _, label, _ in rows], np.int64),
        scores=np.array([score for _, _, score in rows], np.float64),
    )


def measured(*images: tuple[Boxes, Boxes]) -> list[float]:
    matched = [average_precision.match(found, labelled) for found, labelled in images]
    return [float(value) for value in average_precision.average_precision(matched)]


def test_finding_everything_is_one() -> None:
    labelled = boxes((SQUARE, 0, 1), (ELSEWHERE, 3, 1))
    assert measured((boxes((SQUARE, 0, 0.4), (ELSEWHERE, 3, 0.2)), labelled)) == [1.0] * 10


def test_finding_nothing_is_zero() -> None:
    assert measured((boxes(), boxes((SQUARE, 0, 1)))) == [0.0] * 10


def test_half_of_the_things_found_gives_recall_up_to_a_half() -> None:
    labelled = boxes((SQUARE, 0, 1), (ELSEWHERE, 0, 1))
    assert measured((boxes((SQUARE, 0, 0.9)), labelled))[0] == pytest.approx(51 / 101)


def test_a_false_box_before_the_true_one_halves_precision() -> None:
    found = boxes((ELSEWHERE, 0, 0.9), (SQUARE, 0, 0.8))
    assert measured((found, boxes((SQUARE, 0, 1))))[0] == pytest.approx(0.5)


def test_a_false_box_after_the_true_one_costs_nothing() -> None:
    found = boxes((ELSEWHERE, 0, 0.7), (SQUARE, 0, 0.8))
    assert measured((found, boxes((SQUARE, 0, 1))))[0] == pytest.approx(1.0)


def test_a_second_box_on_one_thing_is_false() -> None:
    found = boxes((SQUARE, 0, 0.9), (SQUARE, 0, 0.8), (ELSEWHERE, 0, 0.7))
    labelled = boxes((SQUARE, 0, 1), (ELSEWHERE, 0, 1))
    assert measured((found, labelled))[0] == pytest.approx((51 + 50 * 2 / 3) / 101)


def test_a_loose_box_counts_up_to_its_overlap() -> None:
    assert measured((boxes((NARROWER, 0, 0.9)), boxes((SQUARE, 0, 1)))) == [1.0] * 6 + [0.0] * 4


def test_false_boxes_of_another_image_lower_precision_too() -> None:
    first = (boxes((SQUARE, 0, 0.5)), boxes((SQUARE, 0, 1)))
    second = (boxes((SQUARE, 0, 0.9)), boxes())
    assert measured(first, second)[0] == pytest.approx(0.5)


def test_classes_weigh_the_same_however_many_things_they_have() -> None:
    found = boxes((SQUARE, 0, 0.9))
    labelled = boxes((SQUARE, 0, 1), (SQUARE, 1, 1), (ELSEWHERE, 1, 1))
    assert measured((found, labelled))[0] == pytest.approx(0.5)
