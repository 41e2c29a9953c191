"""A lower bound of epsilon from independent trials: an audit of a claim of differential privacy or of unlearning."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from unlearnbench.stats.clusters import flags, numbers
from unlearnbench.stats.means import clopper_pearson


def epsilon_lower_bound(true_positive: int, positive: int, false_positive: int, negative: int, delta: float) -> float:
    """Return log((TPR_low - delta) / FPR_high), at least 0: a lower bound of epsilon with a probability of 95 %.

    TPR_low and FPR_high are one-sided Clopper-Pearson bounds at the level .025 each. Valid for independent trials and a
    test that was fixed without them (Nasr et al. 2021, arXiv 2101.04535).
    """
    low, _ = clopper_pearson(true_positive, positive)
    _, high = clopper_pearson(false_positive, negative)
    return math.log(max((low - delta) / high, 1.0))


def best_audit_threshold(scores: ArrayLike, positive: ArrayLike, trials: int, delta: float) -> float:
    """Return the t that, were TPR and FPR of ``score > t`` those of these rows, gives ``trials`` pairs the best bound.

    scores, positive (n,): rows apart from the trials. It lies halfway between two distinct scores; of equally good
    thresholds it is the highest.
    """
    vector = numbers(scores)
    chosen = flags(positive, len(vector))
    distinct = np.unique(vector)
    halfway = (distinct[:-1] + distinct[1:]) / 2 if len(distinct) > 1 else distinct
    counts = [[round(trials * float((vector[own] > t).mean())) for own in (chosen, ~chosen)] for t in halfway]
    bounds = [epsilon_lower_bound(hits, trials, false_hits, trials, delta) for hits, false_hits in counts]
    return float(halfway[len(bounds) - 1 - int(np.argmax(bounds[::-1]))])
