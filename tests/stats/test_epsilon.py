"""The lower bound of epsilon has the known answer, holds, and is seldom above zero without a leak."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
from scipy.stats import beta

from unlearnbench.stats.epsilon import best_audit_threshold, epsilon_lower_bound

IN = np.array([1.2 * ((37 * k) % 101) / 100 + 0.35 for k in range(100)])
OUT = np.array([((53 * k) % 97) / 97 for k in range(120)])


def test_known_answer() -> None:
    found = epsilon_lower_bound(int((IN > 1).sum()), 100, int((OUT > 1).sum()), 120, delta=0)
    assert found == pytest.approx(2.4485923565578744, rel=1e-12)


@pytest.mark.parametrize("delta", [0.0, 1e-5, 0.1])
def test_it_is_the_ratio_of_one_sided_bounds(delta: float) -> None:
    low, high = beta.ppf(0.025, 70, 31), beta.ppf(0.975, 6, 95)
    assert epsilon_lower_bound(70, 100, 5, 100, delta) == pytest.approx(log((low - delta) / high), rel=1e-9)


def test_it_is_never_negative() -> None:
    assert epsilon_lower_bound(0, 10, 10, 10, 1e-5) == 0
    assert epsilon_lower_bound(1, 10, 0, 10, 0.9) == 0


@pytest.mark.parametrize("epsilon", [0.0, 1.0])
def test_it_exceeds_the_true_epsilon_in_at_most_a_twentieth_of_draws(epsilon: float) -> None:
    """Randomized response, the test of which is the best there is."""
    rng, rate = np.random.default_rng(0), 1 / (1 + np.exp(epsilon))
    counts = rng.binomial(200, [[1 - rate, rate]] * 1000)
    bounds = np.array([epsilon_lower_bound(int(hits), 200, int(misses), 200, 0) for hits, misses in counts])
    assert (bounds > epsilon).mean() <= 0.05


def test_the_threshold_is_that_of_the_best_bound() -> None:
    rng = np.random.default_rng(1)
    positive = np.arange(60) % 2 == 0
    scores = np.round(rng.normal(size=60) + 1.5 * positive, 1)
    found = best_audit_threshold(scores, positive, 50, 1e-5)

    def bound(t: float) -> float:
        hits, false_hits = (round(50 * float((scores[own] > t).mean())) for own in (positive, ~positive))
        return epsilon_lower_bound(hits, 50, false_hits, 50, 1e-5)

    distinct = np.unique(scores)
    halfway = [float(t) for t in (distinct[1:] + distinct[:-1]) / 2]
    assert found in halfway
    best = max(map(bound, halfway))
    assert bound(found) == best > 0
    assert all(bound(t) < best for t in halfway if t > found)


def test_equal_scores_have_a_threshold_too() -> None:
    assert best_audit_threshold([1.0, 1.0], [True, False], 10, 1e-5) == 1
