"""The ROC curve of a score."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unlearnbench.stats.clusters import flags, numbers, one_class
from unlearnbench.stats.ranks import rank_scores


class Roc(NamedTuple):
    """The corners of a ROC curve from (0, 0) to (1, 1)."""

    fpr: NDArray[np.float64]
    """False-positive rates (k,), not falling."""
    tpr: NDArray[np.float64]
    """True-positive rates (k,), not falling."""

    def tpr_at(self, rates: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the true-positive rate (m,) at each false-positive rate (m,) in [0, 1].

        Where the curve is vertical this is its upper end; between corners the curve is a straight line.
        """
        left = np.searchsorted(self.fpr, rates, side="right") - 1  # the last corner at the rate, or before it
        right = np.minimum(left + 1, len(self.fpr) - 1)
        width = self.fpr[right] - self.fpr[left]
        share = np.divide(rates - self.fpr[left], width, out=np.zeros(len(rates)), where=width > 0)
        return np.asarray(self.tpr[left] + share * (self.tpr[right] - self.tpr[left]))


def roc_curve(scores: ArrayLike, positive: ArrayLike) -> Roc:
    """Return the ROC curve of the rule ``score > t`` over all thresholds; scores, positive (n,).

    Equal scores are one slanted step, so that the area under the curve is the AUC in which ties count one half. One
    class missing is a ValueError.
    """
    vector = numbers(scores)
    chosen = flags(positive, len(vector))
    if one_class(chosen):
        raise ValueError("a ROC curve needs positives and negatives")
    ranked = rank_scores(vector, chosen)
    return Roc(_shares(ranked.negatives), _shares(ranked.positives))


def _shares(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the share of a class (k + 1,) at or above each distinct score, from the highest score down."""
    return np.concatenate([[0.0], np.cumsum(counts[::-1]) / counts.sum()])
