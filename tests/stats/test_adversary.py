from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import norm, t

from tests.stats.whole import numbers
from unlearnbench.core.estimates import Estimate
from unlearnbench.stats import advantage, clustered_auc
from unlearnbench.stats.adversary import adversary_variance, with_adversary

POSITIVE = np.tile(np.arange(20) < 10, 10)
CLUSTER = np.repeat(np.arange(10), 20)


def _scores(seed: int = 0) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(size=200) + POSITIVE


def _measurements(values: NDArray[np.float64]) -> list[list[Estimate]]:
    return [[Estimate(value) for value in row] for row in values.tolist()]


def _of_one_adversary(rng: np.random.Generator, k: int, fit: float, data: float, rows: float) -> NDArray[np.float64]:
    """Draw values (k, 2) with errors of three causes: chance in fitting, shadow data and target rows."""
    by_group = rng.normal(0, data * math.sqrt(k), k)
    common = rng.normal(0, fit, k) + np.array([np.delete(by_group, i).mean() for i in range(k)])
    return np.asarray(common[:, None] + rng.normal(0, rows * math.sqrt(2), (k, 2)))


@pytest.mark.parametrize(
    ("fit", "data", "least", "most"), [(1, 0, 1.7, 1.9), (0, 1, 0.5, 0.62), (0.5, 0.5, 0.95, 1.35)]
)
def test_between_chance_in_fitting_and_shadow_data_it_is_the_geometric_mean(
    fit: float, data: float, least: float, most: float
) -> None:
    """Times the true variance. Below 0 it is cut, which is seldom where rows differ little by chance."""
    rng = np.random.default_rng(0)
    found = [adversary_variance(_of_one_adversary(rng, 5, fit, data, 0.05)).value for _ in range(4_000)]
    assert least <= np.mean(found) / (fit**2 + data**2) <= most


def test_what_differs_by_chance_from_row_to_row_is_not_counted_twice() -> None:
    rng = np.random.default_rng(1)
    values = [_of_one_adversary(rng, 5, 0, 0, 1) for _ in range(4_000)]
    covariance = [np.cov(one, rowvar=False)[0, 1] for one in values]
    assert abs(np.mean(covariance)) < 0.05
    assert np.mean([one.mean(axis=1).var(ddof=1) for one in values]) == pytest.approx(1, abs=0.05)


def test_without_halves_it_is_the_variance_on_all_rows() -> None:
    values = np.array([[0.1], [0.2], [0.4], [0.3], [0.2]])
    assert adversary_variance(values).value == pytest.approx(np.var(values, ddof=1) * 4 / math.sqrt(5))
    assert adversary_variance(values).degrees == 4


def test_a_t_interval_is_widened_by_the_sum_of_the_variances() -> None:
    estimate = clustered_auc(_scores(), POSITIVE, CLUSTER)
    values = numbers(estimate)[1] + np.array([-0.03, 0.02, 0.04, -0.02, -0.01])
    wider = with_adversary(estimate, _measurements(np.column_stack([values] * 2)))
    own = values.var(ddof=1) * 4 / math.sqrt(5)
    assert wider.value == estimate.value
    assert wider.details["adversary_se"] == pytest.approx(math.sqrt(own))
    assert wider.details["se"] == pytest.approx(math.hypot(estimate.details["se"], math.sqrt(own)))
    (low, _, high), (lower, _, higher) = numbers(estimate), numbers(wider)
    assert lower < low < high < higher < 1


@pytest.mark.parametrize("degrees", [9.0, None], ids=["degrees told", "not told"])
def test_an_interval_without_a_standard_error_is_widened_as_if_each_distance_were_one(degrees: float | None) -> None:
    estimate = Estimate(0.4, 0.3, 0.45, 200, scale="gain", details={"degrees": degrees} if degrees else {})
    values = np.column_stack([[0.4, 0.42, 0.44, 0.4, 0.39]] * 2)
    wider = with_adversary(estimate, _measurements(values))
    (low, value, high), (lower, _, higher) = numbers(estimate), numbers(wider)
    own = adversary_variance(values).value / (1 - value**2) ** 2
    for end, moved in ((low, lower), (high, higher)):
        distance = abs(math.atanh(end) - math.atanh(value))
        first = (distance / (t.ppf(0.975, degrees) if degrees else norm.ppf(0.975))) ** 2
        total = first + own
        freedom = total**2 / ((first**2 / degrees if degrees else 0) + own**2 / 4)
        assert abs(math.atanh(moved) - math.atanh(value)) == pytest.approx(t.ppf(0.975, freedom) * math.sqrt(total))


def test_the_interval_of_the_advantage_is_widened_by_its_degrees_of_freedom() -> None:
    estimate = advantage(_scores(), POSITIVE, 0.5, CLUSTER)
    wider = with_adversary(estimate, _measurements(np.column_stack([[0.4, 0.42, 0.44, 0.4, 0.39]] * 2)))
    (low, _, high), (lower, _, higher) = numbers(estimate), numbers(wider)
    assert estimate.details["degrees"] == pytest.approx(9)
    assert -1 < lower < low < high < higher < 1


def test_an_end_that_lies_at_the_end_of_the_range_stays_there() -> None:
    estimate = Estimate(0.4, -1.0, 0.6, 20, scale="gain", details={"degrees": 4.0})
    low, _, high = numbers(with_adversary(estimate, _measurements(np.column_stack([[0.4, 0.5, 0.3, 0.4, 0.3]] * 2))))
    assert low == -1
    assert 0.6 < high < 1


def test_at_an_end_of_its_range_an_interval_moves_its_other_end() -> None:
    estimate = Estimate(1.0, 0.9, 1.0, scale="share")
    wider = with_adversary(estimate, _measurements(np.column_stack([[1, 1, 0.9, 1, 0.95]] * 2)))
    low, _, high = numbers(wider)
    assert 0 < low < 0.9
    assert high == 1


def test_nothing_changes_without_groups_without_an_interval_and_where_all_adversaries_agree() -> None:
    estimate = clustered_auc(_scores(), POSITIVE, CLUSTER)
    assert with_adversary(estimate, []) is estimate
    assert with_adversary(estimate, _measurements(np.full((5, 2), 0.7))) is estimate
    few = Estimate(0.7, status="no-interval", reason="few")
    assert with_adversary(few, _measurements(np.random.default_rng(0).random((5, 2)))) is few


def test_a_number_that_some_adversary_does_not_have_has_no_interval() -> None:
    estimate = clustered_auc(_scores(), POSITIVE, CLUSTER)
    one = Estimate(0.7)
    for missing in (Estimate.undefined("no score"), None):
        found = with_adversary(estimate, [(one, one), (missing, one)])
        assert (found.value, found.status, found.low) == (estimate.value, "no-interval", None)
        assert found.reason == "not defined for an adversary with fewer shadow originals"
