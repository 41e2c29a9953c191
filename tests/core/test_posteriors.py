"""Log-posteriors stay finite and normalized."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from unlearnbench.core.posteriors import FLOOR, log_mean, log_odds, log_of, log_softmax, spread_classes, true_class


@given(arrays(np.float64, (4, 3), elements=st.floats(-800, 800)))
def test_softmax_of_any_logits_is_finite_and_sums_to_one(logits: np.ndarray) -> None:
    out = log_softmax(logits)
    assert np.isfinite(out).all()
    np.testing.assert_allclose(np.exp(out).sum(axis=1), 1)


def test_zero_probability_is_floored_not_infinite() -> None:
    assert log_of([0.0, 1.0]).tolist() == [np.log(FLOOR), 0.0]


def test_the_mean_is_one_of_probabilities_not_of_logarithms() -> None:
    parts = np.log([[[0.2, 0.8]], [[0.6, 0.4]]])
    np.testing.assert_allclose(np.exp(log_mean(parts)), [[0.4, 0.6]])
    np.testing.assert_allclose(np.exp(log_mean(parts, [3, 1])), [[0.3, 0.7]])


def test_a_class_that_a_subset_lacks_gets_a_column_of_zeros() -> None:
    full = spread_classes(np.array([[0.25, 0.75]]), np.array([0, 2]), 4)
    assert full.tolist() == [[0.25, 0, 0.75, 0]]


def test_the_true_class_is_picked_row_by_row() -> None:
    assert true_class(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([1, 0])).tolist() == [2.0, 3.0]


def test_log_odds_keep_their_precision_where_a_posterior_is_one() -> None:
    logits = np.array([[2.0, -1.0, 0.5], [0.1, 0.2, 0.3], [30.0, -20.0, -25.0]])
    known = [1.2985867220172476, -0.5443966600735709, 49.99328465151088]  # of DeepMind's logit_scaled_confidence
    assert log_odds(log_softmax(logits), np.array([0, 2, 0])) == pytest.approx(known, abs=1e-12)


def test_log_odds_of_two_classes_are_the_difference_of_the_logits() -> None:
    odds = np.linspace(-90, 90, 61)
    answers = log_softmax(np.stack([odds, np.zeros(61)], axis=1))
    assert log_odds(answers, np.zeros(61, dtype=np.int64)) == pytest.approx(odds, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("posteriors", [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [1.0]])
def test_log_odds_of_certain_answers_are_finite(posteriors: list[float]) -> None:
    assert np.isfinite(log_odds(log_of([posteriors]), np.array([0]))).all()
