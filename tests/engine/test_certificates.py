"""Known answers are those of the papers' codes; the rest is checked against integrals and closed forms."""

from __future__ import annotations

from math import exp, inf, log, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlearnbench.engine.certificates import (
    descent_sigma,
    gaussian_delta,
    gaussian_sigma,
    law_after,
    law_between,
    law_shift,
    removal_budget,
    renyi_epsilon,
    rewind_factor,
)

EPSILONS = st.floats(0.01, 20)
RATIOS = st.floats(0.01, 5)


@pytest.mark.parametrize(
    ("epsilon", "ratio", "delta"),
    [
        (0.5, 0.5, 0.05244032328766965),
        (1.0, 0.3, 5.4887496446114786e-05),
        (1.0, 1.0, 0.12693673750664394),
        (3.0, 2.0, 0.1838130765444717),
        (1.0, 0.0, 0.0),
    ],
)
def test_the_delta_of_gaussian_noise(epsilon: float, ratio: float, delta: float) -> None:
    assert gaussian_delta(epsilon, ratio) == pytest.approx(delta, rel=1e-10)


@pytest.mark.parametrize(("epsilon", "ratio"), [(0.3, 0.2), (1.0, 1.0), (4.0, 1.5)])
def test_that_delta_is_the_mass_by_which_one_density_exceeds_the_other_times_e_to_epsilon(
    epsilon: float, ratio: float
) -> None:
    from scipy.stats import norm

    x = np.linspace(-12, 12 + ratio, 400_001)
    excess = np.maximum(norm.pdf(x, ratio) - exp(epsilon) * norm.pdf(x), 0)
    assert gaussian_delta(epsilon, ratio) == pytest.approx(np.trapezoid(excess, x), rel=1e-6)


@pytest.mark.parametrize(
    ("epsilon", "delta", "sensitivity", "sigma"),
    [
        (0.1, 1e-5, 1.0, 30.74956598384496),
        (1.0, 1e-5, 1.0, 3.730631634944469),
        (1.0, 1e-5, 0.3, 1.1191894904833406),
        (10.0, 1e-6, 2.0, 1.0821736324114986),
    ],
)
def test_the_noise_for_a_delta(epsilon: float, delta: float, sensitivity: float, sigma: float) -> None:
    assert gaussian_sigma(epsilon, delta, sensitivity) == pytest.approx(sigma, rel=1e-7)


@given(EPSILONS, st.floats(1e-9, 0.5), st.floats(1e-3, 1e3))
def test_that_noise_gives_that_delta(epsilon: float, delta: float, sensitivity: float) -> None:
    sigma = gaussian_sigma(epsilon, delta, sensitivity)
    assert gaussian_delta(epsilon, sensitivity / sigma) == pytest.approx(delta, rel=1e-6)


@pytest.mark.parametrize(
    ("smooth", "convex", "n", "steps", "epsilon", "delta", "sigma"),
    [
        (0.26, 0.01, 10000, 1, 1.0, 1e-4, 4.4054283928686315),
        (0.26, 0.01, 10000, 50, 1.0, 1e-4, 0.00767803682992399),
        (1.25, 1.0, 1000, 2, 0.5, 1e-5, 0.000970014308715598),
    ],
)
def test_the_noise_of_descent_to_delete(
    smooth: float, convex: float, n: int, steps: int, epsilon: float, delta: float, sigma: float
) -> None:
    assert descent_sigma(smooth, convex, 1.0, n, steps, epsilon, delta) == pytest.approx(sigma, rel=1e-12)


@pytest.mark.parametrize(
    ("kept", "rate", "smooth", "removed", "n", "steps", "factor"),
    [
        (10, 0.01, 1.0, 100, 10000, 100, 1.6246461310631874),
        (50, 0.01, 1.0, 100, 10000, 100, 1.0737406229567614),
        (0, 0.05, 0.5, 10, 1000, 40, 1.7116517034253933),
    ],
)
def test_the_factor_of_rewinding(
    kept: int, rate: float, smooth: float, removed: int, n: int, steps: int, factor: float
) -> None:
    assert rewind_factor(smooth, rate, steps, kept, removed, n) == pytest.approx(factor, rel=1e-12)


@pytest.mark.parametrize(("steps", "kept", "factor"), [(10_000, 10, inf), (10_000, 5_000, inf), (10_000, 10_000, 0.0)])
def test_a_factor_beyond_all_numbers_is_infinite_and_without_a_step_of_difference_it_is_zero(
    steps: int, kept: int, factor: float
) -> None:
    assert rewind_factor(0.25, 1.0, steps, kept, 1, 100) == factor


def test_the_budget_of_removal() -> None:
    assert removal_budget(10.0, 1.0, 1e-4) == pytest.approx(2.2803009464393384, rel=1e-12)


@pytest.mark.parametrize(
    ("sigma", "steps", "removed", "epsilon"),
    [
        (0.03, 1, 1, 0.3133121780163903),
        (0.1, 1, 1, 0.09347814771077081),
        (0.03, 20, 10, 3.1457369705128184),
    ],
)
def test_the_epsilon_of_langevin_unlearning(sigma: float, steps: int, removed: int, epsilon: float) -> None:
    start = law_shift(0.012, 1.0, sigma, 12000, removed)
    assert renyi_epsilon(law_after(start, 0.012, 3.8, steps), 1 / 12000) == pytest.approx(epsilon, rel=1e-9)


@given(RATIOS, st.floats(1e-9, 0.5))
def test_the_epsilon_of_two_normal_laws_is_that_of_the_closed_form(ratio: float, delta: float) -> None:
    closed = ratio**2 / 2 + ratio * sqrt(2 * log(1 / delta))
    assert renyi_epsilon(lambda order: order * ratio**2 / 2, delta) == pytest.approx(closed, rel=1e-9)


@given(RATIOS, RATIOS, st.floats(1.01, 1e3))
def test_the_divergence_of_two_normal_laws_is_within_the_bound_by_a_third_between_them(
    one: float, other: float, order: float
) -> None:
    bound = law_between(lambda a: a * one**2 / 2, lambda a: a * other**2 / 2)
    assert order * (one + other) ** 2 / 2 <= bound(np.float64(order)) * (1 + 1e-12)
