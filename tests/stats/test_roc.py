from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlearnbench.stats import Roc, auc, roc_curve

SCORED = st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=60).filter(
    lambda rows: 0 < sum(positive for _, positive in rows) < len(rows)
)


def columns(rows: list[tuple[int, bool]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([score for score, _ in rows], float), np.array([positive for _, positive in rows])


def test_corners_of_a_curve_known_by_hand() -> None:
    curve = roc_curve([3, 2, 2, 1], [True, True, False, False])
    assert curve.fpr.tolist() == [0, 0, 0.5, 1]
    assert curve.tpr.tolist() == [0, 0.5, 1, 1]


@given(SCORED)
def test_the_corners_are_those_of_scikit_learn(rows: list[tuple[int, bool]]) -> None:
    from sklearn.metrics import roc_curve as expected

    scores, positive = columns(rows)
    fpr, tpr, _ = expected(positive, scores, drop_intermediate=False)
    curve = roc_curve(scores, positive)
    assert curve.fpr == pytest.approx(fpr)
    assert curve.tpr == pytest.approx(tpr)


@given(SCORED)
def test_the_area_under_the_curve_is_the_auc_with_ties_counted_one_half(rows: list[tuple[int, bool]]) -> None:
    scores, positive = columns(rows)
    curve = roc_curve(scores, positive)
    assert np.trapezoid(curve.tpr, curve.fpr) == pytest.approx(auc(scores, positive))


def test_where_a_curve_is_vertical_its_height_is_the_upper_end_and_between_corners_it_is_a_line() -> None:
    curve = Roc(np.array([0, 0, 0.5, 0.5, 1]), np.array([0, 0.2, 0.4, 0.6, 1]))
    assert curve.tpr_at(np.array([0, 0.25, 0.5, 0.75, 1])) == pytest.approx([0.2, 0.3, 0.6, 0.8, 1])


@given(SCORED)
def test_the_height_is_that_of_the_corners_and_its_area_is_the_auc(rows: list[tuple[int, bool]]) -> None:
    scores, positive = columns(rows)
    curve = roc_curve(scores, positive)
    assert curve.tpr_at(curve.fpr) == pytest.approx([curve.tpr[curve.fpr == fpr].max() for fpr in curve.fpr])
    rates = np.linspace(0, 1, 20_001)
    assert np.trapezoid(curve.tpr_at(rates), rates) == pytest.approx(auc(scores, positive), abs=1e-3)


@pytest.mark.parametrize("positive", [[True, True], [False, False]])
def test_a_curve_of_one_class_is_an_error(positive: list[bool]) -> None:
    with pytest.raises(ValueError, match="positives and negatives"):
        roc_curve([1, 2], positive)


def test_nan_scores_are_an_error() -> None:
    with pytest.raises(ValueError, match="finite numbers"):
        roc_curve([1, float("nan")], [True, False])
