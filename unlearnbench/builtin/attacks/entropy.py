"""Entropy of an answer, and the modified entropy, which knows the true class (Song and Mittal 2021, arXiv 2003.10595).

Both take log-posteriors (n, C), return nats (n,), and treat rows independently.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.posteriors import log_of, true_class


def entropy(log_posteriors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return -sum_i p_i log p_i: 0 for an answer that is certain, right or wrong."""
    return np.asarray(-(np.exp(log_posteriors) * log_posteriors).sum(axis=1))


def modified_entropy(log_posteriors: NDArray[np.float64], label: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return -(1 - p_y) log p_y - sum_(i != y) p_i log(1 - p_i) for the true class y.

    It is 0 only for an answer that is certain and right. Each row has its own y: widely copied code indexes
    ``[:, label]``, so that its value depends on the batch, and takes log p_i for log(1 - p_i).
    """
    posteriors, rows = np.exp(log_posteriors), np.arange(len(label))
    complement = _complement(posteriors)
    terms = posteriors * log_of(complement)
    terms[rows, label] = complement[rows, label] * true_class(log_posteriors, label)
    return np.asarray(-terms.sum(axis=1))


def _complement(posteriors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 1 - p (n, C); for the largest p, which may round to 1, as the sum of the others."""
    rows, largest = np.arange(len(posteriors)), posteriors.argmax(axis=1)
    others = posteriors.copy()
    others[rows, largest] = 0
    complement = 1 - posteriors
    complement[rows, largest] = others.sum(axis=1)
    return complement
