"""Gaps are those of paired requests; tug-of-war has the value of the known answer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from unlearnbench.builtin.metrics.retraining_gap import (
    DIVERGENCES,
    GAPS,
    NO_RETRAINING,
    NOT_QUERIED,
    NOTHING_FORGOTTEN,
    TUG_OF_WAR,
    RetrainingGap,
)
from unlearnbench.core.metrics import ScoredCell
from unlearnbench.testing.samples import scored_cell

MADE = scored_cell(5, 3, retrained=True)
M = 15


def with_accuracies(cell: ScoredCell, forget: float, retain: float, test: float) -> ScoredCell:
    utility = replace(
        cell.utility,
        forget_accuracy_unlearned=np.full(M, forget),
        train_accuracy_unlearned=np.full(M, retain),
        test_accuracy_unlearned=np.full(M, test),
    )
    return replace(cell, utility=utility)


def pair(own: tuple[float, float, float], retrained: tuple[float, float, float]) -> ScoredCell:
    assert MADE.retrained is not None
    return replace(with_accuracies(MADE, *own), retrained=with_accuracies(MADE.retrained, *retrained))


def test_the_known_answer() -> None:
    """Forget, retain and test accuracy of an unlearned and of a retrained model, and their tug-of-war."""
    measured = RetrainingGap().measure(pair((0.93, 0.995, 0.91), (0.92, 1.0, 0.925)))
    assert measured[TUG_OF_WAR].value == pytest.approx(0.97027425, abs=1e-12)
    assert [measured[name].value for name in GAPS] == pytest.approx([0.01, -0.005, -0.015])


def test_gaps_are_averaged_over_pairs_and_not_taken_of_averages() -> None:
    made = pair((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    half = np.where(np.arange(M) < 5, 1.0, 0.5)
    swapped = replace(made, utility=replace(made.utility, forget_accuracy_unlearned=half))
    assert RetrainingGap().measure(swapped)[TUG_OF_WAR].value == pytest.approx(1 - 0.5 * 5 / 15)


def test_retraining_has_no_gap_from_itself() -> None:
    measured = RetrainingGap().measure(replace(MADE, retrained=MADE, divergence=np.zeros((2, M))))
    assert [measured[name].value for name in (*GAPS, TUG_OF_WAR, *DIVERGENCES)] == [0, 0, 0, 1, 0, 0]


def test_divergences_are_averaged_over_requests() -> None:
    measured = RetrainingGap().measure(MADE)
    assert [measured[name].value for name in DIVERGENCES] == pytest.approx(MADE.divergence.mean(axis=1))


def test_what_is_not_known_has_a_reason() -> None:
    nothing = np.full(M, np.nan)
    forgetless = replace(MADE, utility=replace(MADE.utility, forget_accuracy_unlearned=nothing))
    measured = RetrainingGap().measure(forgetless)
    assert {measured[name].reason for name in ("forget-accuracy-gap", TUG_OF_WAR)} == {NOTHING_FORGOTTEN}
    assert measured["retain-accuracy-gap"].value is not None
    unasked = RetrainingGap().measure(replace(MADE, divergence=np.empty((2, 0))))
    assert {unasked[name].reason for name in DIVERGENCES} == {NOT_QUERIED}
    alone = RetrainingGap().measure(replace(MADE, retrained=None))
    assert {estimate.reason for estimate in alone.values()} == {NO_RETRAINING}
