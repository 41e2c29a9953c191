"""Ranks with ties, and the exact AUC."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unlearnbench.stats.clusters import flags, numbers, one_class


def midranks(x: ArrayLike) -> NDArray[np.float64]:
    """Return ranks (n,) from 1; rows that cannot be told apart share the mean of their ranks."""
    _, place, size = np.unique(numbers(x), return_inverse=True, return_counts=True)
    return np.asarray(np.cumsum(size) - (size - 1) / 2)[place]


class Ladder(NamedTuple):
    """The distinct scores from low to high: each row's ``place`` (n,), and how many of each class stand there."""

    place: NDArray[np.int64]
    positives: NDArray[np.int64]
    negatives: NDArray[np.int64]

    @property
    def auc(self) -> float:
        """The share of pairs in which the positive stands above the negative, equal places counting one half."""
        halves = self.positives @ (2 * np.cumsum(self.negatives) - self.negatives)
        return int(halves) / (2 * int(self.positives.sum()) * int(self.negatives.sum()))


def ladder(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> Ladder:
    """Sort the scores (n,) once; all that the AUC needs are counts on the ladder."""
    distinct, place = np.unique(scores, return_inverse=True)
    positives = np.bincount(place[positive], minlength=len(distinct))
    return Ladder(place, positives, np.bincount(place[~positive], minlength=len(distinct)))


def auc(scores: ArrayLike, positive: ArrayLike) -> float:
    """Return the probability that a positive scores above a negative, ties counting one half.

    scores, positive (n,). Pairs are counted in whole numbers, so the value does not depend on the order of rows. A
    value below .5 is left as it is: turning it round would be using the answer. One class missing is a ValueError.
    """
    vector = numbers(scores)
    chosen = flags(positive, len(vector))
    if one_class(chosen):
        raise ValueError("the AUC needs positives and negatives")
    return ladder(vector, chosen).auc
