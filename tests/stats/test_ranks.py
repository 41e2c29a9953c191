from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import ArrayLike
from scipy.stats import rankdata

from unlearnbench.stats import auc, midranks

SCORED = st.lists(st.tuples(st.integers(-5, 5), st.booleans()), min_size=2, max_size=40).filter(
    lambda rows: 0 < sum(positive for _, positive in rows) < len(rows)
)


def _columns(rows: list[tuple[int, bool]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([score for score, _ in rows], float), np.array([positive for _, positive in rows])


def test_tied_rows_share_the_mean_of_their_ranks() -> None:
    assert midranks([10, 30, 20, 30, 10, 10]).tolist() == [2, 5.5, 4, 5.5, 2, 2]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=30))
def test_midranks_are_those_of_scipy(x: list[float]) -> None:
    assert midranks(x).tolist() == rankdata(x).tolist()


@given(SCORED)
def test_the_auc_is_the_share_of_pairs_in_the_right_order_with_ties_one_half(rows: list[tuple[int, bool]]) -> None:
    scores, positive = _columns(rows)
    above, below = scores[positive][:, None], scores[~positive]
    assert auc(scores, positive) == pytest.approx(np.mean((above > below) + (above == below) / 2), abs=1e-12)


def test_the_auc_is_that_of_scikit_learn() -> None:
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(0)
    positive = rng.random(500) < 0.3
    scores = np.round(rng.normal(size=500) + positive, 1)
    assert auc(scores, positive) == pytest.approx(roc_auc_score(positive, scores), abs=1e-12)


@given(SCORED)
def test_turning_the_scores_or_the_labels_round_turns_the_auc_round(rows: list[tuple[int, bool]]) -> None:
    scores, positive = _columns(rows)
    assert auc(scores, positive) + auc(-scores, positive) == pytest.approx(1, abs=1e-15)
    assert auc(scores, positive) + auc(scores, ~positive) == pytest.approx(1, abs=1e-15)


@given(SCORED, st.randoms(use_true_random=False))
def test_the_auc_sees_neither_the_scale_of_scores_nor_the_order_of_rows_nor_copies(
    rows: list[tuple[int, bool]], random: Random
) -> None:
    scores, positive = _columns(rows)
    value = auc(scores, positive)
    order = random.sample(range(len(scores)), len(scores))
    assert auc(np.exp(scores) - 3, positive) == value
    assert auc(scores[order], positive[order]) == value
    assert auc(np.tile(scores, 3), np.tile(positive, 3)) == value


def test_an_auc_below_one_half_is_not_flipped() -> None:
    assert auc([1, 2, 3, 4], [1, 1, 0, 0]) == 0


@pytest.mark.parametrize("positive", [[True, True], [False, False]])
def test_an_auc_of_one_class_is_an_error(positive: list[bool]) -> None:
    with pytest.raises(ValueError, match="positives and negatives"):
        auc([1, 2], positive)


def test_nan_scores_are_an_error_and_not_passed_on() -> None:
    with pytest.raises(ValueError, match="finite numbers"):
        auc([1, float("nan")], [True, False])


@pytest.mark.parametrize("positive", [[True], [[True, False]], [1, 2]])
def test_anything_but_one_boolean_a_row_is_an_error(positive: ArrayLike) -> None:
    with pytest.raises(ValueError, match="2 booleans"):
        auc([1, 2], positive)
