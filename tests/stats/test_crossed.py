"""Means over records of numbers that shared models give: the variance, and whether intervals cover."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import binomtest, t

from unlearnbench.core.estimates import Estimate, Scale
from unlearnbench.stats.crossed import MOST_GROUPS, crossed_mean, left_out
from unlearnbench.stats.forgetting_quality import record_qualities, told_apart
from unlearnbench.stats.klom import klom

Numbers = NDArray[np.float64]


@given(st.integers(1, 200))
def test_each_model_is_left_out_once(models: int) -> None:
    kept = left_out(models)
    gone = [np.setdiff1d(np.arange(models), one) for one in kept]
    assert len(kept) == min(models, MOST_GROUPS)
    assert np.sort(np.concatenate(gone)).tolist() == list(range(models))
    sizes = [len(one) for one in gone]
    assert max(sizes) - min(sizes) <= 1


def plain(values: Numbers, without: Numbers) -> tuple[float, float, float]:
    """The two parts of the variance, pair of records by pair, and the degrees of freedom of the second."""
    groups, r = without.shape
    moved = without - without.mean(axis=0)
    pairs = [moved[:, i] @ moved[:, j] for i in range(r) for j in range(r) if i != j]
    shared = (groups - 1) / groups * sum(pairs) / len(pairs)
    sums = moved.sum(axis=1)
    kurtosis = np.mean(sums**4) / np.mean(sums**2) ** 2
    degrees = min(groups - 1, max(1, 2 * groups / (kurtosis - 1) - 1))
    return float(np.sum((values - values.mean()) ** 2) / (r - 1) / r), max(0.0, float(shared)), float(degrees)


@given(st.integers(0, 2**32 - 1), st.integers(20, 30), st.integers(5, 9), st.floats(0, 3))
def test_the_interval_adds_both_parts_of_the_variance(seed: int, r: int, groups: int, common: float) -> None:
    rng = np.random.default_rng(seed)
    values, without = 1 + rng.random(r), rng.normal(size=(groups, r)) + common * rng.normal(size=(groups, 1))
    found = crossed_mean(values, without, "real")
    records, models, few = plain(values, without)
    degrees = (records + models) ** 2 / (records**2 / (r - 1) + models**2 / few)
    half = t.ppf(0.975, degrees) * np.sqrt(records + models)
    assert (found.value, found.low, found.high) == pytest.approx(
        (values.mean(), values.mean() - half, values.mean() + half), rel=1e-6, abs=1e-6
    )
    assert found.details["models_se"] == pytest.approx(np.sqrt(models), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(("records", "groups"), [(4, 8), (20, 4)])
def test_too_few_of_either_have_no_interval(records: int, groups: int) -> None:
    found = crossed_mean(np.ones(records), np.ones((groups, records)), "real")
    assert (found.status, found.low) == ("no-interval", None)
    assert found.reason == "an interval needs 5 records and 5 models of either kind"


def test_a_sum_of_few_records_has_no_interval() -> None:
    values = np.where(np.arange(40) < 10, 1.0, 0.0)
    found = crossed_mean(values, np.tile(values, (8, 1)), "real")
    assert found.status == "no-interval"
    assert found.reason.startswith("few records make up most of it: they are worth 10.0 equal ones, an interval needs")


@pytest.mark.parametrize("value", [0.0, 0.5])
def test_numbers_that_never_vary_are_degenerate(value: float) -> None:
    assert crossed_mean(np.full(20, value), np.full((8, 20), value), "share").status == "degenerate"


Draw = tuple[Numbers, Numbers]


def draw(rng: np.random.Generator, models: int, common: float, kept: float, certain: bool, records: int = 40) -> Draw:
    """Log-odds (r, N) by models that deleted each record and by those that never held it, of N pairs of models.

    Models differ by ``common`` on all records; of each record's trace the share ``kept`` is left. ``certain`` models
    answer one of two values, as trees do.
    """
    level, width = rng.normal(0, 2, (records, 1)), np.exp(rng.normal(0, 0.4, (records, 1)))
    shift, coin = rng.normal(0, common, (2, models)), rng.integers(2, size=(records, models))
    noise = width * rng.normal(size=(2, records, models))
    held = level + shift[coin, np.arange(models)] + noise[0] + kept * rng.exponential(1, (records, 1))
    other = level + shift[1 - coin, np.arange(models)] + noise[1]
    if certain:
        held, other = (np.where(rng.random(x.shape) < 1 / (1 + np.exp(-x)), 4.0, -4.0) for x in (held, other))
    return held, other


def qualities(held: Numbers, other: Numbers) -> Numbers:
    return record_qualities(told_apart(held, other), held.shape[1])


MEASURES: dict[str, tuple[Callable[[Numbers, Numbers], Numbers], Scale, int]] = {
    "klom": (klom, "positive", 400),
    "klom, the other direction": (lambda held, other: klom(other, held), "positive", 400),
    "forgetting quality": (qualities, "share", 150),
}
DESIGNS = {
    "no trace": (0.0, 0.0, False),
    "a trace": (0.0, 1.0, False),
    "models that differ": (0.5, 1.0, False),
    "models that differ much": (1.5, 1.0, False),
}
Design = tuple[float, float, bool]


def covered(measure: str, design: Design, models: int, records: int = 40) -> tuple[int, int, int]:
    """Return how many intervals hold the mean over draws of records and models, how many there are, and of how many."""
    number, scale, trials = MEASURES[measure]
    rng = np.random.default_rng(0)
    truth = np.mean([number(*draw(rng, models, *design, records)).mean() for _ in range(4 * trials)])

    def estimate() -> Estimate:
        held, other = draw(rng, models, *design, records)
        without = [number(held[:, kept], other[:, kept]) for kept in left_out(models)]
        return crossed_mean(number(held, other), without, scale)

    found = [estimate() for _ in range(trials)]
    held = [one.low <= truth <= one.high for one in found if one.low is not None and one.high is not None]
    return sum(held), len(held), trials


def assert_covers(held: int, shown: int) -> None:
    """The share is not significantly outside .93 to .98."""
    assert binomtest(held, shown, 0.93, "less").pvalue > 0.001
    assert binomtest(held, shown, 0.98, "greater").pvalue > 0.001


@pytest.mark.slow
@pytest.mark.parametrize("design", DESIGNS.values(), ids=DESIGNS.keys())
@pytest.mark.parametrize("measure", MEASURES)
def test_the_interval_covers_the_mean_over_records_and_as_many_models(measure: str, design: Design) -> None:
    held, shown, trials = covered(measure, design, models=16)
    assert shown >= 0.9 * trials
    assert_covers(held, shown)


@pytest.mark.slow
def test_many_records_of_certain_models_are_covered_and_few_have_no_interval() -> None:
    certain = (1.0, 1.0, True)
    held, shown, trials = covered("klom", certain, models=8, records=200)
    assert shown > 0.95 * trials
    assert_covers(held, shown)
    assert covered("klom", certain, models=16)[1] < 0.05 * trials
