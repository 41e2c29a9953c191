"""Lower bounds of epsilon from independent trials: audits of a claim of differential privacy or of unlearning."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from unlearnbench.stats.clusters import flags, numbers
from unlearnbench.stats.means import clopper_pearson

LARGEST_EPSILON = 100.0
"""Above all that any number of coins can show."""


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


def one_run_epsilon(correct: int, guesses: int, coins: int, delta: float, level: float = 0.95) -> float:
    """Return a lower bound of epsilon from one run, at least 0, that holds with probability ``level``.

    For each of ``coins`` records an independent fair coin decided whether it was included. Given what was published, an
    adversary guesses some of the coins, of which ``correct`` are right (Steinke et al. 2023, arXiv 2305.08846). How
    many are guessed must be fixed before anything is published.
    """
    from scipy.optimize import brentq

    def too_likely(epsilon: float) -> float:
        return one_run_p_value(correct, guesses, coins, epsilon, delta) - (1 - level)

    if too_likely(0.0) >= 0:
        return 0.0
    return float(brentq(too_likely, 0.0, LARGEST_EPSILON, xtol=1e-9))


def one_run_p_value(correct: int, guesses: int, coins: int, epsilon: float, delta: float) -> float:
    """Return the largest probability of so many or more right guesses where (epsilon, delta)-privacy holds, at most 1.

    The tail of a binomial distribution of probability 1 / (1 + exp(-epsilon)), and what delta may add.
    """
    from scipy.special import bdtr, bdtrc, expit

    p = float(expit(epsilon))
    tail = float(bdtrc(correct - 1, guesses, p)) if correct else 1.0
    fewer = np.arange(1, correct + 1)
    # P(correct - i <= W < correct): the tail's last term is not in it
    below = bdtr(correct - 1, guesses, p) - np.where(
        fewer < correct, bdtr(np.maximum(correct - 1 - fewer, 0), guesses, p), 0.0
    )
    return min(1.0, tail + 2 * coins * delta * float(np.max(below / fewer, initial=0.0)))
