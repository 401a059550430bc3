"""Outputs of two versions are compared element by element."""

from __future__ import annotations

import numpy as np
import pytest

from absah_sdk.checking import Array
from absah_server.core.models import Agreement
from absah_server.inference import comparing


def agreement(*pairs: tuple[Array, Array]) -> Agreement:
    total = Agreement()
    for a, b in pairs:
        total = comparing.plus(total, comparing.compare({"y": a}, {"y": b})["y"])
    return total


def test_equal_outputs_agree_in_full() -> None:
    scores = np.random.default_rng(0).random((3, 4), np.float32)
    found = agreement((scores, scores.copy()))
    assert (found.within_tolerance, found.largest, found.same_argmax) == (1.0, 0.0, 1.0)


def test_differences_are_counted_over_requests() -> None:
    zeros = np.zeros((2, 2), np.float32)
    found = agreement((zeros, zeros), (zeros, zeros + 0.5))
    assert found.within_tolerance == 0.5
    assert found.largest == 0.5
    assert found.mean_difference == 0.25


def test_the_tolerance_grows_with_the_value() -> None:
    large = np.array([[1000.0, 0.0]])
    assert agreement((large, np.array([[1005.0, 0.0]]))).within_tolerance == 1.0
    assert agreement((large, np.array([[1000.0, 5.0]]))).within_tolerance == 0.0


def test_the_largest_of_each_row_is_compared() -> None:
    a = np.array([[1.0, 2.0], [2.0, 1.0]])
    b = np.array([[1.0, 3.0], [1.0, 2.0]])
    assert agreement((a, b)).same_argmax == 0.5


@pytest.mark.parametrize(
    "array", [np.array([1, 2]), np.array([["a", "b"]], object), np.array([[True]])]
)
def test_outputs_that_have_no_scores_have_no_argmax(array: Array) -> None:
    found = agreement((array, array))
    assert found.within_tolerance == 1.0
    assert found.same_argmax is None


def test_another_shape_or_kind_counts_in_nothing_else() -> None:
    found = agreement((np.zeros((1, 2)), np.zeros((1, 3))), (np.zeros(1), np.array(["0"], object)))
    assert (found.different_shapes, found.requests, found.elements) == (2, 0, 0)


def test_an_output_that_one_version_lacks_is_told() -> None:
    zeros = np.zeros((1, 1))
    found = comparing.compare({"y": zeros}, {"y": zeros, "z": zeros})
    assert found["z"] is None
    assert found["y"] is not None


def test_no_number_on_one_side_is_no_agreement() -> None:
    nan, zero = np.array([[np.nan]]), np.array([[0.0]])
    assert agreement((nan, nan)).within_tolerance == 1.0
    assert agreement((zero, nan)).within_tolerance == 0.0
    infinite = np.array([[np.inf]])
    assert agreement((infinite, infinite)).largest == 0.0


def test_words_differ_or_not() -> None:
    a, b = np.array([["a", "b"]], object), np.array([["a", "c"]], object)
    assert agreement((a, b)).mean_difference == 0.5
