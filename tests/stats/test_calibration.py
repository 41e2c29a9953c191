"""The calibration error against a count by hand and a direct computation."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from unlearnbench.stats import calibration_error


def direct(correct: NDArray[np.bool_], confidence: NDArray[np.float64]) -> float:
    """Return the sum over bins of n_b / n |acc(b) - conf(b)|, as Guo et al. write it."""
    edges, total = np.linspace(0, 1, 16), 0.0
    for k, (low, high) in enumerate(pairwise(edges)):
        inside = (confidence >= low) & ((confidence < high) | ((k == 14) & (confidence <= high)))
        if inside.any():
            total += inside.mean() * abs(correct[inside].mean() - confidence[inside].mean())
    return total


def test_two_bins_counted_by_hand() -> None:
    # three of confidence .9 with two right: |2/3 - .9|; one of .5 that is right: |1 - .5|
    error = calibration_error([True, True, False, True], [0.9, 0.9, 0.9, 0.5])
    assert error == pytest.approx(3 / 4 * (0.9 - 2 / 3) + 1 / 4 * 0.5)


def test_it_is_the_formula_of_guo() -> None:
    rng = np.random.default_rng(0)
    confidence = rng.random(500)
    correct = rng.random(500) < confidence**2
    assert calibration_error(correct, confidence) == pytest.approx(direct(correct, confidence))


def test_certain_and_right_is_zero_and_certain_and_wrong_is_one() -> None:
    assert calibration_error([True, True], [1.0, 1.0]) == 0
    assert calibration_error([False, False], [1.0, 1.0]) == 1


@pytest.mark.parametrize(("correct", "confidence"), [([], []), ([True], [1.1]), ([True], [-0.1]), ([True], [np.nan])])
def test_no_predictions_and_impossible_confidences_are_refused(correct: list[bool], confidence: list[float]) -> None:
    with pytest.raises(ValueError, match=r"confidence|finite"):
        calibration_error(correct, confidence)


def test_another_number_of_predictions_is_refused() -> None:
    with pytest.raises(ValueError, match="expected 1 booleans"):
        calibration_error([True, False], [0.5])
