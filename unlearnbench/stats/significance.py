"""Tests of hypotheses about independent values and counts."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unlearnbench.stats.clusters import numbers

DRAWS = 9_999
"""How often a permutation test draws."""

_BLOCK = 2**20  # counts that are held at a time


def mean_above_zero(values: ArrayLike) -> float:
    """Return the one-sided p-value of a t test that the mean of independent values (k,) is above zero.

    Values that are all equal leave no doubt: p is 0, 1, or, where they are zero, 1/2. One value, or none, gives 1/2.
    """
    from scipy.special import stdtr

    vector = numbers(values)
    k = len(vector)
    if k < 2:
        return 0.5
    mean, se = float(vector.mean()), float(vector.std(ddof=1)) / math.sqrt(k)
    if se == 0:
        return 0.5 * (1 - float(np.sign(mean)))
    return float(stdtr(k - 1, -mean / se))


def counts_differ(first: ArrayLike, second: ArrayLike, rng: np.random.Generator) -> float:
    """Return the p-value of two samples having the same distribution over categories, 1 where either is empty.

    first, second (k,): how many members of each sample are in each category. The statistic is chi-square; its
    distribution comes from 9,999 random divisions of both samples' members into two samples of these sizes, plus the
    division that was observed, which keeps p above zero.
    """
    counts, other = np.asarray(first, dtype=np.int64), np.asarray(second, dtype=np.int64)
    if counts.ndim != 1 or counts.shape != other.shape or min(counts.min(initial=0), other.min(initial=0)) < 0:
        raise ValueError(f"expected two vectors of counts of one length, got shapes {counts.shape} and {other.shape}")
    if not counts.sum() or not other.sum():
        return 1.0
    present = counts + other > 0
    counts, both, size = counts[present], (counts + other)[present], int(counts.sum())
    expected = both * size / both.sum()
    observed = _chi_square(counts, expected) * (1 - 1e-12)
    as_large = sum(np.count_nonzero(_chi_square(drawn, expected) >= observed) for drawn in _divisions(both, size, rng))
    return (1 + as_large) / (1 + DRAWS)


def _chi_square(counts: NDArray[np.int64], expected: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(((counts - expected) ** 2 / expected).sum(axis=-1))


def _divisions(both: NDArray[np.int64], size: int, rng: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """Yield blocks (draws, k) of the counts of random samples of ``size`` members, few enough at a time for memory."""
    # Drawing category by category takes longer the more there are, drawing member by member the more of these.
    method: Literal["count", "marginals"] = "count" if min(size, both.sum() - size) < 100 * len(both) else "marginals"
    block = max(1, _BLOCK // len(both))
    for start in range(0, DRAWS, block):
        yield rng.multivariate_hypergeometric(both, size, size=min(block, DRAWS - start), method=method)
