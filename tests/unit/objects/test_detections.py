"""Boxes that mean one thing become one, and others stay apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from absah_objects import detections
from absah_objects.detections import MOST_PER_VIEW, Detections

Box = tuple[float, float, float, float]


def found(*boxes: tuple[Box, int, float]) -> Detections:
    return Detections(
        corners=np.array([corners for corners, _, _ in boxes], np.float32).reshape(-1, 4),
        classes=np.array([label for _, label, _ in boxes], np.int32),
        confidences=np.array([confidence for _, _, confidence in boxes], np.float32),
    )


def as_tuples(value: Detections) -> Sequence[tuple[list[float], int, float]]:
    rows = zip(value.corners.tolist(), value.classes.tolist(), value.confidences, strict=True)
    return [(corners, label, round(float(confidence), 4)) for corners, label, confidence in rows]


def test_of_two_boxes_on_one_thing_the_better_stays() -> None:
    kept = detections.suppress(
        found(((0, 0, 10, 10), 0, 0.6), ((0, 0, 10, 9), 0, 0.9)), overlap=0.5
    )
    assert as_tuples(kept) == [([0, 0, 10, 9], 0, 0.9)]


def test_boxes_of_two_classes_do_not_suppress_each_other() -> None:
    kept = detections.suppress(
        found(((0, 0, 10, 10), 0, 0.6), ((0, 0, 10, 10), 1, 0.9)), overlap=0.5
    )
    assert kept.classes.tolist() == [1, 0]


def test_boxes_that_overlap_less_than_the_limit_both_stay() -> None:
    side_by_side = found(((0, 0, 10, 10), 0, 0.6), ((5, 0, 15, 10), 0, 0.9))  # a third
    assert len(detections.suppress(side_by_side, overlap=0.4)) == 2
    assert len(detections.suppress(side_by_side, overlap=0.3)) == 1


def test_boxes_everywhere_are_bounded() -> None:
    rng = np.random.default_rng(0)
    corners = rng.uniform(0, 1000, (20000, 2))
    crowd = Detections(
        corners=np.concatenate([corners, corners + 5], axis=1).astype(np.float32),
        classes=np.zeros(20000, np.int32),
        confidences=rng.uniform(0, 1, 20000).astype(np.float32),
    )
    kept = detections.suppress(crowd, overlap=0.5)
    assert len(kept) == MOST_PER_VIEW
    assert kept.confidences[0] == crowd.confidences.max()


def test_views_that_agree_give_their_weighted_mean() -> None:
    merged = detections.merge(
        [found(((0, 0, 10, 10), 0, 0.9)), found(((0, 0, 14, 10), 0, 0.3))], overlap=0.5
    )
    assert as_tuples(merged) == [([0, 0, 11, 10], 0, 0.6)]


def test_what_one_view_of_three_shows_counts_a_third() -> None:
    merged = detections.merge([found(((0, 0, 10, 10), 0, 0.9)), found(), found()], overlap=0.5)
    assert as_tuples(merged) == [([0, 0, 10, 10], 0, 0.3)]


def test_one_view_cannot_vote_twice() -> None:
    doubled = found(((0, 0, 10, 10), 0, 0.8), ((0, 0, 10, 8), 0, 0.7))
    merged = detections.merge([doubled, found(((0, 0, 10, 10), 0, 0.8))], overlap=0.5)
    assert as_tuples(merged) == [([0, 0, 10, 10], 0, 0.8)]


def test_merged_boxes_of_two_classes_stay_apart_best_first() -> None:
    view = found(((0, 0, 10, 10), 0, 0.5), ((0, 0, 10, 10), 1, 0.7))
    assert as_tuples(detections.merge([view, view], overlap=0.5)) == [
        ([0, 0, 10, 10], 1, 0.7),
        ([0, 0, 10, 10], 0, 0.5),
    ]


def test_a_single_view_is_answered_as_it_is() -> None:
    view = found(((0, 0, 10, 10), 0, 0.5), ((0, 0, 10, 9), 0, 0.4))
    assert as_tuples(detections.merge([view], overlap=0.5)) == as_tuples(view)


@pytest.mark.parametrize("views", [1, 3])
def test_nothing_merged_is_nothing(views: int) -> None:
    merged = detections.merge([found()] * views, overlap=0.5)
    assert len(merged) == 0
    assert merged.corners.shape == (0, 4)
    assert len(detections.suppress(merged, overlap=0.5)) == 0
