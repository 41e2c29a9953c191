"""The test of a gap between two independent measurements, against scipy, a formula and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from unlearnbench.core.estimates import Estimate
from unlearnbench.stats.gap import gap_p
from unlearnbench.stats.ranking import Measured

SEEDS = st.lists(st.floats(0.4, 0.9), min_size=2, max_size=6).filter(lambda values: np.std(values) > 1e-3)


def seeds(values: list[float]) -> Measured:
    return Measured(Estimate(float(np.mean(values)), n=len(values)), tuple(values))


def single(value: float, se: float, degrees: float = 9.0) -> Measured:
    return Measured(Estimate(value, value, value, 40, details={"se": se, "degrees": degrees}))


@given(SEEDS, SEEDS)
def test_over_seeds_it_is_welchs_test(a: list[float], b: list[float]) -> None:
    expected = stats.ttest_ind(a, b, equal_var=False).pvalue
    if abs(np.mean(a) - np.mean(b)) > 1e-9:
        assert gap_p(seeds(a), seeds(b)) == pytest.approx(expected, rel=1e-6)


def test_with_one_seed_it_is_the_difference_of_logits_over_both_errors() -> None:
    a, b = single(0.8, 0.02), single(0.7, 0.03, 4.0)
    logit = [math.log(value / (1 - value)) for value in (0.8, 0.7)]
    error = math.hypot(0.02 / 0.16, 0.03 / 0.21)
    assert gap_p(a, b) == pytest.approx(2 * stats.t.sf((logit[0] - logit[1]) / error, 4))


def test_equal_measurements_have_no_gap_and_unknown_errors_no_test() -> None:
    assert gap_p(single(0.8, 0.02), single(0.8, 0.05)) == 1.0
    assert gap_p(seeds([0.5, 0.5]), seeds([0.5, 0.5])) == 1.0
    assert gap_p(seeds([0.9, 0.9]), seeds([0.5, 0.5])) == 0.0
    assert gap_p(single(0.8, 0.02), Measured(Estimate(0.8, n=9, status="no-interval", reason="few"))) is None


def test_without_a_gap_one_in_twenty_is_below_five_percent() -> None:
    rng = np.random.default_rng(0)
    pairs = rng.normal(0.7, 0.03, (2000, 2, 5))
    p = [gap_p(seeds(list(a)), seeds(list(b))) for a, b in pairs]
    below = np.mean([value is not None and value <= 0.05 for value in p])
    assert 0.03 <= below <= 0.065
