"""Holm's adjustment, and the ranks that entries may have given the uncertainty of their AUCs.

Entries of one table column are measured on the same records and deletions, so they are compared in pairs: by seed where
there are several seeds, else by a bound that holds for any dependence between their errors. Holm's adjustment over all
pairs keeps the probability of any wrong order in a column below 5 %.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unlearnbench.core.estimates import Estimate
from unlearnbench.stats.clusters import numbers

LEVEL = 0.05

Best = Literal["high", "half"]
"""Which AUC is best: a high one (attacks), or one near .5 (defenses, unlearners), since below .5 is a leak as well."""
RankRange = tuple[int, int]
"""The best and the worst rank that an entry may have."""


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """Return p-values (k,) adjusted for the family-wise error rate (Holm 1979)."""
    p = numbers(p_values)
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(stepped, 1)
    return adjusted


@dataclass(frozen=True)
class Measured:
    """The AUC of one entry. ValueError for an estimate without a value: such an entry has no rank."""

    estimate: Estimate
    by_seed: tuple[float, ...] = ()
    """Its value for each seed; with fewer than two values only the estimate is used."""

    def __post_init__(self) -> None:
        if self.estimate.value is None:
            raise ValueError(f"no AUC to rank: {self.estimate.reason}")

    @property
    def value(self) -> float:
        """The AUC."""
        assert self.estimate.value is not None  # noqa: S101 for the type checker
        return self.estimate.value


def ranges_of(better: NDArray[np.bool_]) -> list[RankRange]:
    """Return the rank range of each entry: from 1 + those surely better, to n - those surely worse.

    ``better`` (n, n) as from :func:`surely_better`. The form is that of Mogstad et al. (2024).
    """
    above, below = better.sum(axis=0).tolist(), better.sum(axis=1).tolist()
    return [(1 + over, len(better) - under) for over, under in zip(above, below, strict=True)]


def surely_better(entries: Sequence[Measured], best: Best) -> NDArray[np.bool_]:
    """Return which entry (row) is significantly better than which (column), (n, n), at a family-wise level of 5 %.

    ``by_seed`` must list the same seeds in the same order for all entries. Pairs are compared by paired t tests over
    seeds, or by ``_bound`` where there is one seed, adjusted by Holm.
    """
    pairs = list(combinations(range(len(entries)), 2))
    adjusted = holm([_p(entries[i], entries[j], best) for i, j in pairs])
    better = np.zeros((len(entries), len(entries)), dtype=np.bool_)
    for (i, j), p in zip(pairs, adjusted, strict=True):
        if p <= LEVEL:
            first, second = (i, j) if _merit(entries[i], best) > _merit(entries[j], best) else (j, i)
            better[first, second] = True
    return better


def _merit(entry: Measured, best: Best) -> float:
    return entry.value if best == "high" else -abs(entry.value - 0.5)


def _p(a: Measured, b: Measured, best: Best) -> float:
    """Return the two-sided p-value of two entries being equally good.

    Equally near to .5 means equal, or mirrored at .5. Both must be rejected, so the larger p counts (an
    intersection-union test).
    """
    test = _paired if len(a.by_seed) == len(b.by_seed) > 1 else _bound
    return max(test(a, b, mirrored) for mirrored in ((False, True) if best == "half" else (False,)))


def _paired(a: Measured, b: Measured, mirrored: bool) -> float:
    """Return the p-value of a paired t test over seeds, of a - b or, mirrored, of a - (1 - b)."""
    other = 1 - np.asarray(b.by_seed) if mirrored else np.asarray(b.by_seed)
    differences = np.asarray(a.by_seed) - other
    k = len(differences)
    return two_sided(float(differences.mean()), float(differences.std(ddof=1)) / math.sqrt(k), k - 1)


def _bound(a: Measured, b: Measured, mirrored: bool) -> float:
    """Return a p-value that holds for any dependence: a difference's error is at most the sum of the two errors.

    On the logit scale, where the intervals of an AUC are symmetric. 1 where an error is not known.
    """
    known = [on_logit_scale(entry.estimate) for entry in (a, b)]
    if known[0] is None or known[1] is None:
        return 1.0
    (x, x_se, x_degrees), (y, y_se, y_degrees) = known[0], known[1]
    return two_sided(x + y if mirrored else x - y, x_se + y_se, min(x_degrees, y_degrees))


def on_logit_scale(estimate: Estimate) -> tuple[float, float, float] | None:
    """Return logit, standard error and degrees of freedom, or None if unknown; a constant score is .5 without error."""
    value, se, degrees = estimate.value, estimate.details.get("se"), estimate.details.get("degrees")
    if estimate.status == "degenerate" and value == 0.5:
        return 0.0, 0.0, math.inf
    if estimate.status != "ok" or value is None or se is None or degrees is None or not 0 < value < 1:
        return None
    return math.log(value / (1 - value)), se / (value * (1 - value)), degrees


def two_sided(difference: float, se: float, degrees: float) -> float:
    """Return the two-sided p-value of a difference with this standard error and degrees of freedom (t distribution)."""
    from scipy.special import stdtr

    if abs(difference) < 1e-12:  # equal up to rounding
        return 1.0
    if se < 1e-12:  # the same difference in all seeds
        return 0.0
    return float(2 * stdtr(min(degrees, 1e9), -abs(difference) / se))
