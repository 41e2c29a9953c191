"""Ranks with ties, and the exact AUC."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unlearnbench.stats.clusters import flags, numbers, one_class


def midranks(x: ArrayLike) -> NDArray[np.float64]:
    """Return ranks (n,) from 1; tied rows share the mean of their ranks."""
    _, dense_rank, size = np.unique(numbers(x), return_inverse=True, return_counts=True)
    return np.asarray(np.cumsum(size) - (size - 1) / 2)[dense_rank]


class RankedScores(NamedTuple):
    """The distinct scores (d,) in ascending order, with the counts of each class."""

    dense_rank: NDArray[np.int64]
    """Each row's index (n,) among the distinct scores."""
    positives: NDArray[np.int64]
    """Number of positives with each distinct score (d,)."""
    negatives: NDArray[np.int64]
    """Number of negatives with each distinct score (d,)."""

    @property
    def auc(self) -> float:
        """The share of pairs in which the positive scores above the negative; ties count one half."""
        halves = self.positives @ (2 * np.cumsum(self.negatives) - self.negatives)
        return int(halves) / (2 * int(self.positives.sum()) * int(self.negatives.sum()))


def rank_scores(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> RankedScores:
    """Sort the scores (n,) once and count each class per distinct score; the AUC needs nothing else."""
    distinct, dense_rank = np.unique(scores, return_inverse=True)
    positives = np.bincount(dense_rank[positive], minlength=len(distinct))
    return RankedScores(dense_rank, positives, np.bincount(dense_rank[~positive], minlength=len(distinct)))


def auc(scores: ArrayLike, positive: ArrayLike) -> float:
    """Return the probability that a positive scores above a negative, ties counting one half.

    scores, positive (n,). Pairs are counted in integers, so the value does not depend on the order of rows. A value
    below .5 is not flipped, since that would use the labels. ValueError where one class is missing.
    """
    vector = numbers(scores)
    chosen = flags(positive, len(vector))
    if one_class(chosen):
        raise ValueError("the AUC needs positives and negatives")
    return rank_scores(vector, chosen).auc
