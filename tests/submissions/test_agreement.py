"""When the numbers of a re-run in another environment agree with those of a submission."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from unlearnbench.core.estimates import Estimate, Scale
from unlearnbench.run.cell_results import CellScores
from unlearnbench.submissions.agreement import Comparison
from unlearnbench.submissions.group_arrays import GroupArrays

ELSEWHERE = Comparison(same_setting=True, same_environment=False, deletes=True)
ON_ANOTHER_DEVICE = replace(ELSEWHERE, same_setting=False)
RAMP = np.linspace(0, 1, 50)
SCORES = CellScores(
    scores=RAMP,
    baseline=RAMP,
    shadow=RAMP,
    folds=np.empty((0, 50), dtype=np.float32),
    baseline_folds=np.empty((0, 50), dtype=np.float32),
    unchanged=np.zeros(50, dtype=np.bool_),
    released=np.zeros((3, 2)),
    divergence=np.empty((2, 0)),
)
MODELS = GroupArrays(
    matched=np.array([[3, 5], [4, -1]]),
    accuracies=np.full((4, 2), 0.8),
    seconds=np.array([[1.0, 9.0], [0.1, 0.1]]),
    epsilon=np.array([2.0, 2.0]),
)


def bare(value: float, scale: Scale = "share") -> Estimate:
    return Estimate(value, status="no-interval", reason="few originals", scale=scale)


def told(value: float, low: float, high: float) -> Estimate:
    return Estimate(value, low, high, scale="share")


@pytest.mark.parametrize(
    ("claimed", "here", "agree"),
    [
        (told(0.70, 0.65, 0.75), told(0.77, 0.74, 0.82), True),
        (told(0.70, 0.65, 0.75), told(0.80, 0.76, 0.84), False),
        (told(0.70, 0.10, 0.99), told(0.80, 0.76, 0.84), False),  # a forger's interval may be as wide as he likes
        (bare(1.0), told(0.84, 0.78, 0.89), False),
        (bare(1.0), told(0.99, 0.97, 0.995), True),
        (bare(0.5), told(0.84, 0.78, 0.89), False),
        (bare(0.5), told(0.51, 0.45, 0.57), True),
        (told(0.52, 0.48, 0.56), bare(0.5), True),
        (told(0.60, 0.55, 0.65), bare(0.5), False),
        (told(0.90, 0.40, 0.95), bare(0.5), False),
        (bare(0.7), bare(0.8), True),
        (bare(0.7), bare(0.9), False),
        (bare(0.30, "positive"), bare(0.33, "positive"), True),
        (bare(0.30, "positive"), bare(0.40, "positive"), False),
        (bare(-0.1, "gain"), bare(0.1, "gain"), False),
        (Estimate.undefined("ties"), Estimate.undefined("few"), True),
        (Estimate.undefined("ties"), bare(0.0), False),
        (bare(0.0), Estimate.undefined("ties"), False),
    ],
)
def test_numbers_agree_in_interval_and_value(claimed: Estimate, here: Estimate, agree: bool) -> None:
    found = ELSEWHERE.cell(SCORES, SCORES, {"auc": claimed}, {"auc": here})
    assert found == ([] if agree else ["auc"])


def test_every_metric_of_either_side_is_compared_but_what_is_measured_of_the_machine() -> None:
    one = {"auc": bare(0.7), "seconds-to-train": bare(1.0), "memory-over-retraining": bare(2.0)}
    other = {"mine": bare(0.7), "seconds-to-train": bare(99.0)}
    assert ELSEWHERE.cell(SCORES, SCORES, one, other) == ["auc", "mine"]


@pytest.mark.parametrize("name", ["scores", "baseline"])
def test_scores_rank_the_rows_alike(name: str) -> None:
    def compared(claimed: NDArray[np.float64], here: NDArray[np.float64] = RAMP) -> list[str]:
        sides: list[Any] = [{name: claimed}, {name: here}]
        one, other = (replace(SCORES, **side) for side in sides)
        return ELSEWHERE.cell(one, other, {}, {})

    shuffled = np.random.default_rng(0).permutation(RAMP)
    assert compared(shuffled) == compared(np.zeros(50)) == [f"ranks of {name}"]
    assert compared(RAMP + shuffled / 9) == compared(np.zeros(50), np.ones(50)) == []


def test_ranks_are_rounding_where_nothing_is_deleted() -> None:
    backwards = replace(SCORES, scores=RAMP[::-1])
    assert replace(ELSEWHERE, deletes=False).cell(backwards, SCORES, {}, {}) == []


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, []),
        ({"accuracies": np.full((4, 2), 0.81)}, []),
        ({"accuracies": np.array([[0.8] * 2] * 3 + [[0.83] * 2])}, ["accuracies"]),
        ({"epsilon": np.array([2.01, 2.0])}, []),
        ({"epsilon": np.array([3.0, 2.0])}, ["epsilon"]),
        ({"epsilon": None}, ["epsilon"]),
        ({"matched": np.array([[3, 5], [9, -1]])}, []),
        ({"matched": np.array([[3, 8], [9, -1]])}, ["matched"]),
        ({"matched": np.array([[3, 5], [4, 6]])}, ["matched"]),
        ({"seconds": np.array([[90.0, 99.0], [0.1, 0.1]])}, []),
        ({"seconds": np.array([[1.0, 9.0], [0.0, 0.1]])}, ["seconds"]),
        ({"seconds": np.array([[110.0, 999.0], [0.1, 0.1]])}, ["seconds"]),
    ],
)
def test_models_agree_within_tolerances(change: dict[str, Any], found: list[str]) -> None:
    assert ELSEWHERE.models(replace(MODELS, **change), MODELS, originals=2) == found


def test_another_device_may_be_faster_and_one_original_tells_no_time() -> None:
    slower = replace(MODELS, seconds=MODELS.seconds * 900)
    assert ON_ANOTHER_DEVICE.models(slower, MODELS, originals=2) == []
    assert ELSEWHERE.models(slower, MODELS, originals=2) == ["seconds"]
    assert ELSEWHERE.models(slower, MODELS, originals=1) == []


def test_the_same_environment_is_compared_to_the_bit() -> None:
    here = Comparison(same_setting=True, same_environment=True, deletes=True)
    assert str(here) == "compared to the bit"
    assert here.cell(replace(SCORES, scores=RAMP + 1e-12), SCORES, {}, {}) == ["scores"]
    assert here.models(replace(MODELS, accuracies=MODELS.accuracies + 1e-12), MODELS, 2) == ["accuracies"]
    assert "another engine or device is used here" in str(ON_ANOTHER_DEVICE)
    counted = replace(MODELS, passes=np.array([0.1, 0.2]))
    assert here.models(counted, replace(counted, passes=np.array([0.1, 0.3])), 2) == ["passes"]
    assert here.models(MODELS, counted, 2) == []  # submitted before passes were counted
