"""Means over records of numbers that come from models which all records share: the two are crossed."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unlearnbench.core.estimates import Estimate, Scale
from unlearnbench.stats.clusters import MIN_CLUSTERS
from unlearnbench.stats.variance import Variance, degrees_by_moment, negligible, no_spread, t_estimate

MOST_GROUPS = 16
"""Groups of models that are left out in turn: more take time and add little."""

LEAST_WORTH = 15
"""Least number of equal records that records must be worth: the mean of fewer is far from normal."""


def left_out(models: int) -> list[NDArray[np.int64]]:
    """Return the models that are kept when each of at most 16 groups of about equal size is left out in turn."""
    every = np.arange(models)
    return [np.setdiff1d(every, group) for group in np.array_split(every, min(models, MOST_GROUPS))]


def crossed_mean(values: ArrayLike, without: ArrayLike, scale: Scale) -> Estimate:
    """Return the mean over records of numbers from 0 up, with a 95 % t interval over new records and new models.

    values (r,): the number of each record. without (G, r): the same without each of G groups of models, as by
    :func:`left_out`. The estimand is the mean over records and over draws of *as many* models: such numbers depend on
    how many there are. The variance has two parts (two-way clustering; Cameron, Gelbach and Miller 2011): that between
    records, in which is what models change by chance in each record alone, and what models change in all records alike,
    from the delete-a-group jackknife (Kott 2001), where it is positive. No interval for fewer than five records or
    groups, or where few records make up most of the sum; degenerate where neither varies.
    """
    vector, again = np.asarray(values, dtype=np.float64), np.asarray(without, dtype=np.float64)
    r, mean = len(vector), float(vector.mean())
    if min(r, len(again)) < MIN_CLUSTERS:
        reason = f"an interval needs {MIN_CLUSTERS} records and {MIN_CLUSTERS} models of either kind"
        return Estimate(mean, n=r, status="no-interval", reason=reason, scale=scale)
    if not vector.any() and not again.any():
        return no_spread(mean, r, scale, {})
    if (worth := _worth(vector)) < LEAST_WORTH:
        reason = (
            f"few records make up most of it: they are worth {worth:.1f} equal ones, an interval needs {LEAST_WORTH}"
        )
        return Estimate(mean, n=r, status="no-interval", reason=reason, scale=scale)
    shared = _shared(again)
    variance = Variance(float(vector.var(ddof=1)) / r, r - 1) + shared
    if negligible(variance.se, mean, vector / r):
        return no_spread(mean, r, scale, {})
    return t_estimate(mean, variance, r, scale, {"models_se": shared.se})


def _worth(values: NDArray[np.float64]) -> float:
    """Return how many equal numbers have the sum and the sum of squares of these, 0 for none above 0."""
    return float(values.sum() ** 2 / (values**2).sum()) if values.any() else 0.0


def _shared(without: NDArray[np.float64]) -> Variance:
    """Return the variance of the mean that models cause in all records alike, from values without each group (G, r)."""
    groups, r = without.shape
    moved = without - without.mean(axis=0)
    by_group = moved.sum(axis=1)
    products = float((by_group**2).sum() - (moved**2).sum())  # of two different records
    if products <= 0:
        return Variance(0.0, groups - 1)
    degrees = min(groups - 1.0, degrees_by_moment(by_group))
    return Variance((groups - 1) / groups * products / (r * (r - 1)), degrees)
