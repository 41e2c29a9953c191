"""The lower bound of epsilon has the known answer, holds, and is seldom above zero without a leak."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta, binom

from unlearnbench.stats.epsilon import best_audit_threshold, epsilon_lower_bound, one_run_epsilon, one_run_p_value

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


@pytest.mark.parametrize(
    ("coins", "guesses", "correct", "delta", "known"),
    [
        (1000, 100, 90, 0.0, 1.6308231927421464),
        (1000, 100, 90, 1e-5, 1.6261436787042223),
        (1000, 1000, 600, 1e-5, 0.2972269575896597),
        (10000, 500, 480, 1e-5, 2.7703874599836564),
        (100, 20, 20, 1e-5, 1.819596907485671),
    ],
)
def test_one_run_has_the_published_values(coins: int, guesses: int, correct: int, delta: float, known: float) -> None:
    assert one_run_epsilon(correct, guesses, coins, delta) == pytest.approx(known, abs=1e-5)


@given(st.integers(1, 40), st.data(), st.floats(0, 4), st.sampled_from([0.0, 1e-5, 1e-2]))
def test_the_p_value_of_one_run_is_that_of_a_plain_sum(
    guesses: int, data: st.DataObject, epsilon: float, delta: float
) -> None:
    correct = data.draw(st.integers(0, guesses))
    p = 1 / (1 + np.exp(-epsilon))
    mass = [binom.pmf(k, guesses, p) for k in range(guesses + 1)]
    added = max([sum(mass[correct - i : correct]) / i for i in range(1, correct + 1)], default=0)
    expected = min(1, sum(mass[correct:]) + 2 * 100 * delta * added)
    assert one_run_p_value(correct, guesses, 100, epsilon, delta) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("epsilon", [0.0, 1.0])
def test_one_run_exceeds_the_true_epsilon_in_at_most_a_twentieth_of_draws(epsilon: float) -> None:
    """Randomized response again: each guess is right by itself."""
    correct = np.random.default_rng(0).binomial(100, 1 / (1 + np.exp(-epsilon)), 1000)
    bounds = np.array([one_run_epsilon(int(k), 100, 100, 0) for k in correct])
    assert (bounds > epsilon).mean() <= 0.05


def test_one_run_without_right_guesses_shows_nothing() -> None:
    assert one_run_epsilon(0, 10, 10, 1e-5) == 0
    assert one_run_epsilon(5, 10, 10, 1e-5) == 0
    assert one_run_epsilon(0, 0, 10, 1e-5) == 0
