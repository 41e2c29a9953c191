"""How well predicted probabilities agree with how often they are right."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from unlearnbench.stats.clusters import flags, numbers

BINS = 15
"""The number of bins of equal width, as in Guo et al. (2017)."""


def calibration_error(correct: ArrayLike, confidence: ArrayLike) -> float:
    """Return the expected calibration error (Guo et al. 2017) of predictions: correct (n,), confidence (n,) in [0, 1].

    In each of 15 bins of equal width, the mean confidence is compared with the share of correct predictions; the
    absolute differences are averaged over predictions. With few predictions in a bin chance alone makes it positive.
    ValueError without predictions, or for a confidence outside [0, 1].
    """
    p = numbers(confidence)
    if not len(p) or p.min() < 0 or p.max() > 1:
        raise ValueError("expected one or more confidences, all in [0, 1]")
    gap = flags(correct, len(p)).astype(np.float64) - p
    bins = np.minimum((p * BINS).astype(np.int64), BINS - 1)
    return float(np.abs(np.bincount(bins, weights=gap)).sum() / len(p))
