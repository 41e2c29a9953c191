"""Forgetting quality equals the competition's numbers and a plain loop over all its thresholds."""

from __future__ import annotations

from math import ceil, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from unlearnbench.stats.forgetting_quality import record_qualities, told_apart

Numbers = NDArray[np.float64]
MODEL, RECORD = np.mgrid[0:16, 0:6].astype(float)
RETRAINED = 2 * np.sin(1.7 * MODEL + 0.9 * RECORD) + 0.8 * np.cos(2.9 * MODEL * (RECORD + 1) + 0.3)
UNLEARNED = 2 * np.sin(1.3 * MODEL + 2.1 * RECORD + 0.5) + 0.8 * np.cos(3.7 * MODEL * (RECORD + 1) + 1.1)
UNLEARNED += [0, 0.8, 2.5, 8, 0, 0]
UNLEARNED[:, 4], UNLEARNED[:, 5] = RETRAINED[:, 4], 0.001 * np.sin(np.arange(16))

SINGLE_PRECISION = [1.3862543106079102, 1.0985589027404785, 2.3025691509246826, 50.0, 0.0, 50.0]
"""By the competition's code, which counts in single precision."""


def test_known_answers() -> None:
    epsilons = told_apart(UNLEARNED.T, RETRAINED.T)
    assert epsilons == pytest.approx(SINGLE_PRECISION, rel=1e-6, abs=1e-6)
    assert record_qualities(epsilons, 16).mean() == pytest.approx(0.2604166666666667, rel=1e-12)


def rates(hits: Numbers, false_hits: Numbers) -> tuple[float, float]:
    return float(np.mean(false_hits)), float(1 - np.mean(hits))


def plain(unlearned: Numbers, retrained: Numbers) -> float:
    """All thresholds and intervals, one by one."""
    above, below = sorted([unlearned, retrained], key=lambda sample: float(np.median(sample)))[::-1]
    narrow, wide = sorted([above, below], key=lambda sample: float(np.ptp(sample)))
    if np.ptp(narrow) < 0.01 * np.ptp(wide):
        return 50.0
    low, high = min(above.min(), below.min()), max(above.max(), below.max())
    found = [rates(above >= t, below >= t) for t in np.linspace(low, high, ceil((high - low) * 100))]
    for right in np.linspace(narrow.max() - 2, narrow.max() + 2, 400):
        for left in right - np.ptp(narrow) + np.linspace(-2, 2, 400):
            inside = [(left <= sample) & (sample <= right) for sample in (narrow, wide)]
            found.append(rates(inside[0], inside[1]))
    best = 0.0
    for fpr, fnr in found:
        if fpr == fnr == 0:
            return 50.0
        for one, other in ((fpr, fnr), (fnr, fpr)):
            if fpr * fnr and 1 - 1e-5 - one > 0:
                best = max(best, log(1 - 1e-5 - one) - log(other))
    return best


@pytest.mark.parametrize(
    "case",
    [(1, 0.7, 0.4), *(pytest.param(case, marks=pytest.mark.slow) for case in ((0, 0.0, 1.0), (2, 0.0, 0.2)))],
    ids=str,
)
def test_it_equals_a_plain_loop(case: tuple[int, float, float]) -> None:
    seed, shift, scale = case
    rng = np.random.default_rng(seed)
    unlearned, retrained = rng.normal(shift, scale, size=8), rng.normal(size=8)
    assert told_apart(unlearned[None], retrained[None]) == pytest.approx([plain(unlearned, retrained)], rel=1e-12)


@settings(max_examples=50)
@given(st.integers(0, 2**32 - 1), st.integers(3, 32))
def test_it_is_the_same_with_the_samples_exchanged_and_lies_between_its_ends(seed: int, models: int) -> None:
    one, other = np.random.default_rng(seed).normal(size=(2, 3, models))
    epsilons = told_apart(one, other)
    assert epsilons == pytest.approx(told_apart(other, one), rel=1e-12)
    assert ((epsilons >= 0) & (epsilons <= 50)).all()
    assert told_apart(one, one) == pytest.approx([0, 0, 0])


def test_constant_answers() -> None:
    assert told_apart([[1.0, 1.0]], [[1.0, 1.0]]).tolist() == [0]
    assert told_apart([[1.0, 1.0]], [[3.0, 3.0]]).tolist() == [50]


@pytest.mark.parametrize(
    ("epsilons", "models", "known"),
    [
        ([0.0, 0.49], 16, 1.0),
        ([0.5, 1.0, 1.5], 16, (0.5 + 0.25 + 0.125) / 3),
        ([2.4, 2.5, 2.9, 3.0, 50.0], 16, (2**-4 + 2 * 2**-5) / 5),
        ([2.9, 3.1, 3.6], 64, (2**-5 + 2**-6 + 2**-7) / 3),
    ],
)
def test_each_bin_counts_half_of_the_one_before_up_to_what_the_models_can_show(
    epsilons: list[float], models: int, known: float
) -> None:
    assert record_qualities(epsilons, models).mean() == pytest.approx(known, rel=1e-12)


def test_samples_of_one_law_score_what_the_competition_calls_perfect() -> None:
    one, other = np.random.default_rng(0).normal(size=(2, 400, 64))
    assert record_qualities(told_apart(one, other), 64).mean() == pytest.approx(0.177, abs=0.03)
