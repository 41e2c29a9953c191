"""Which ranks an entry may have, given how well its AUC is known.

Entries of one table column met the same records and deletions, so they are compared in pairs: by seed where there are
seeds, else by a bound that holds however strongly their errors hang together. Holm's rule over all pairs keeps the
chance of any false order in a column below 5 %.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.estimates import Estimate
from unlearnbench.stats import holm

LEVEL = 0.05

Best = Literal["high", "half"]
"""What is good: a high AUC (attacks), or one near chance (defenses, unlearners); below half is a leak as well."""
RankRange = tuple[int, int]
"""The best and the worst rank that an entry may have; those that cannot be told apart from any other have all."""


@dataclass(frozen=True)
class Measured:
    """The AUC of one entry, and its value for each seed; fewer than two values, and the estimate alone counts.

    An estimate without a value is a ValueError: such an entry has no rank.
    """

    estimate: Estimate
    by_seed: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if self.estimate.value is None:
            raise ValueError(f"no AUC to rank: {self.estimate.reason}")

    @property
    def value(self) -> float:
        """The AUC."""
        assert self.estimate.value is not None  # noqa: S101 for the type checker
        return self.estimate.value


def rank_ranges(entries: Sequence[Measured], best: Best) -> list[RankRange]:
    """Return the ranks that each entry may have: 1 + those surely better, to all but those surely worse.

    The form is that of Mogstad et al. (2024); for the tests see :func:`surely_better`.
    """
    return ranges_of(surely_better(entries, best))


def ranges_of(better: NDArray[np.bool_]) -> list[RankRange]:
    """Return the ranks that follow from who is surely better than whom."""
    above, below = better.sum(axis=0).tolist(), better.sum(axis=1).tolist()
    return [(1 + over, len(better) - under) for over, under in zip(above, below, strict=True)]


def surely_better(entries: Sequence[Measured], best: Best) -> NDArray[np.bool_]:
    """Return which entry (row) is surely better than which (column), (n, n); at most 5 % to be wrong anywhere.

    Values by seed are in the same order for all. Pairs are tested by paired t tests over seeds, or ``_bound`` for one
    seed, adjusted by Holm.
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

    Equally near to half is "equal, or mirror images": both must be refuted, so the larger p counts (an
    intersection-union test).
    """
    test = _paired if len(a.by_seed) == len(b.by_seed) > 1 else _bound
    return max(test(a, b, mirrored) for mirrored in ((False, True) if best == "half" else (False,)))


def _paired(a: Measured, b: Measured, mirrored: bool) -> float:
    """Return the p-value of a paired t test over seeds, of a - b or, mirrored, of a - (1 - b)."""
    other = 1 - np.asarray(b.by_seed) if mirrored else np.asarray(b.by_seed)
    differences = np.asarray(a.by_seed) - other
    k = len(differences)
    return _two_sided(float(differences.mean()), float(differences.std(ddof=1)) / math.sqrt(k), k - 1)


def _bound(a: Measured, b: Measured, mirrored: bool) -> float:
    """Return a p-value that holds for any dependence: a difference's error is at most the sum of the two errors.

    On the logit scale, where the intervals of an AUC are symmetric. 1 where an error is not known.
    """
    known = [_on_logit_scale(entry.estimate) for entry in (a, b)]
    if known[0] is None or known[1] is None:
        return 1.0
    (x, x_se, x_degrees), (y, y_se, y_degrees) = known[0], known[1]
    return _two_sided(x + y if mirrored else x - y, x_se + y_se, min(x_degrees, y_degrees))


def _on_logit_scale(estimate: Estimate) -> tuple[float, float, float] | None:
    """Return logit, standard error and degrees of freedom; a constant score is half whatever the sample."""
    value, se, clusters = estimate.value, estimate.details.get("se"), estimate.details.get("clusters")
    if estimate.status == "degenerate" and value == 0.5:
        return 0.0, 0.0, math.inf
    if estimate.status != "ok" or value is None or se is None or clusters is None or not 0 < value < 1:
        return None
    return math.log(value / (1 - value)), se / (value * (1 - value)), clusters - 1


def _two_sided(difference: float, se: float, degrees: float) -> float:
    from scipy.special import stdtr

    if abs(difference) < 1e-12:  # equal but for rounding
        return 1.0
    if se < 1e-12:  # the same difference in all seeds
        return 0.0
    return float(2 * stdtr(min(degrees, 1e9), -abs(difference) / se))
