"""The bound of the strongest attack is corrected for the choice, and seldom too high."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from unlearnbench.core.estimates import Estimate
from unlearnbench.stats.strongest import NO_BOUND, surely_found


def auc(value: float, se: float = 0.03, degrees: float = 9.0) -> Estimate:
    return Estimate(value, value - 0.1, min(value + 0.1, 1.0), details={"se": se, "degrees": degrees}, scale="share")


def lower_end(value: float, se: float, degrees: float, level: float) -> float:
    logit = math.log(value / (1 - value)) - stats.t.ppf(1 - level, degrees) * se / (value * (1 - value))
    return 1 / (1 + math.exp(-logit))


def test_of_one_attack_it_is_the_lower_end_of_its_interval() -> None:
    assert surely_found([auc(0.8)]).value == pytest.approx(lower_end(0.8, 0.03, 9, 0.025))


def test_of_several_it_is_the_highest_lower_end_at_the_level_of_their_number() -> None:
    precise = [auc(0.75, se=0.01), auc(0.8, se=0.1), auc(0.6)]
    found = surely_found(precise)
    assert found.value == pytest.approx(lower_end(0.75, 0.01, 9, 0.025 / 3))
    assert (found.status, found.n) == ("no-interval", 3)


def test_an_attack_of_unknown_error_counts_as_tried() -> None:
    unknown = Estimate(0.999, status="no-interval", reason="above .99")
    assert surely_found([unknown, auc(0.8)]).value == pytest.approx(lower_end(0.8, 0.03, 9, 0.0125))
    assert surely_found([unknown]).reason == NO_BOUND


def test_a_constant_score_finds_nothing() -> None:
    constant = Estimate(0.5, status="degenerate", reason="a constant score")
    assert surely_found([constant, auc(0.51)]).value == pytest.approx(0.5)


@pytest.mark.parametrize("dependent", [False, True])
def test_of_useless_attacks_it_is_above_chance_as_seldom_as_said(dependent: bool) -> None:
    """Eight attacks with errors of 9 degrees of freedom: without the correction independent ones fail in 18 %."""
    rng, se, too_high = np.random.default_rng(0), 0.03, 0
    for _ in range(1000):
        draws = rng.normal(size=(1 if dependent else 8, 10)) * se * math.sqrt(10) + 0.5
        draws = np.repeat(draws, 8, axis=0) if dependent else draws
        found = surely_found([auc(one.mean(), one.std(ddof=1) / math.sqrt(10)) for one in draws])
        too_high += (found.value or 0) > 0.5
    assert too_high <= 25 + 3 * math.sqrt(25)
