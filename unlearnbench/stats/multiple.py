"""Many comparisons at once: Holm's adjustment, the sign-flip test and sets of ranks.

Entries are compared on the same original models, one number each, so differences pair up by original model; under the
null hypothesis each difference might as well have had the other sign (Fisher's randomization test).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unlearnbench.stats.clusters import NEGLIGIBLE, numbers

EXACT_UP_TO = 20
"""Of so many differences all sign patterns are tried; that is a million."""
EXACT_SETS_UP_TO = 14
DRAWS = 9_999


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """Return p-values (k,) adjusted so that the chance of any false alarm among them keeps the level (Holm 1979)."""
    p = numbers(p_values)
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(stepped, 1)
    return adjusted


def sign_flip(differences: ArrayLike, rng: np.random.Generator | None = None) -> float:
    """Return the two-sided p-value of a mean difference of zero, differences (K,), one an original model.

    Exact for K up to 20. Above, 9,999 random sign patterns and the one seen; they are drawn from ``rng``, which must
    then be given. K below 6 cannot reach .05. No difference at all gives 1.
    """
    d = numbers(differences)
    if len(d) <= EXACT_UP_TO:
        sums = np.zeros(1)
        for difference in d[1:]:  # the first sign stays: turning all signs round changes no absolute sum
            sums = np.concatenate([sums + difference, sums - difference])
        sums = sums + d[:1].sum()
    else:
        sums = _random_signs(len(d), rng) @ d
    return float(np.mean(np.abs(sums) >= abs(d.sum()) - NEGLIGIBLE * np.abs(d).sum()))


def rank_sets(
    per_cluster_metric: ArrayLike, alpha: float = 0.05, rng: np.random.Generator | None = None
) -> list[tuple[int, int]]:
    """Return for each entry the best and the worst rank it may have, all at once with confidence 1 - alpha.

    per_cluster_metric (entries, K): higher is better, columns are the same original models for all. An entry's best
    rank is one more than the number of entries significantly better, and so on (Mogstad et al. 2024); significance is
    by all pairs' studentized differences against the largest of them under joint sign flips, exact for K up to 14, else
    by 9,999 draws from ``rng``, which must then be given.
    """
    metric = np.asarray(per_cluster_metric, dtype=np.float64)
    if metric.ndim != 2 or not np.isfinite(metric).all():
        raise ValueError(f"expected finite numbers (entries, clusters), got shape {metric.shape}")
    entries, k = metric.shape
    i, j = np.triu_indices(entries, 1)
    differences = metric[i] - metric[j]
    # Flips leave the sum of squares alone, so over its root the sum orders patterns and pairs as Student's t does.
    norm = np.sqrt((differences**2).sum(axis=1))
    studentized = np.divide(differences.T, norm, out=np.zeros((k, len(i))), where=norm > 0)
    largest = np.abs(_signs(k, rng) @ studentized).max(axis=1, initial=0)
    seen = studentized.sum(axis=0)
    p = np.mean(largest[:, None] >= np.abs(seen) - NEGLIGIBLE * k, axis=0)
    better = np.zeros((entries, entries), dtype=np.bool_)
    better[i, j] = (p <= alpha) & (seen > 0)
    better[j, i] = (p <= alpha) & (seen < 0)
    return [(1 + int(over), entries - int(under)) for over, under in zip(better.sum(0), better.sum(1), strict=True)]


def _signs(k: int, rng: np.random.Generator | None) -> NDArray[np.float64]:
    """Return sign patterns (., k), the first all plus: every one with a plus in front, or random ones."""
    if k > EXACT_SETS_UP_TO:
        return _random_signs(k, rng)
    bits = np.arange(2 ** max(k - 1, 0))[:, None] >> np.arange(k) & 1
    return np.asarray(1.0 - 2 * bits)


def _random_signs(k: int, rng: np.random.Generator | None) -> NDArray[np.float64]:
    if rng is None:
        raise ValueError(f"{k} clusters have too many sign patterns to try them all: pass a random generator")
    signs = 1.0 - 2 * rng.integers(0, 2, size=(DRAWS + 1, k))
    signs[0] = 1  # the pattern seen is one of them, which keeps p above 0
    return np.asarray(signs)
