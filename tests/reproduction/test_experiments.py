"""The experiments: every claim names one row of its suite, for every seed."""

from __future__ import annotations

from itertools import product

import pytest

from unlearnbench.core.errors import UserError
from unlearnbench.core.estimates import Estimate
from unlearnbench.reproduction.claims import SeedRows
from unlearnbench.reproduction.experiment import Experiment, ParameterCurve
from unlearnbench.reproduction.experiments import EXPERIMENTS, experiment_named
from unlearnbench.run.results import Row
from unlearnbench.suite.find import find_suite, standard_suites
from unlearnbench.suite.load import load_suite
from unlearnbench.suite.model import AXES, PluginRef, Suite

MEASURED = ("auc", "auc-matched", "auc-retained", "test-accuracy-original", "epsilon")


def suite_of(experiment: Experiment) -> Suite:
    return load_suite(find_suite(experiment.suite))[0]


def rows_of(suite: Suite) -> list[Row]:
    """Return a row for each cell that the suite lists, as if it had been run."""
    cells = product(suite.datasets, *(suite.axes[axis] for axis in AXES if axis != "dataset"))
    metrics = dict.fromkeys(MEASURED, Estimate(0.5))
    axes: list[dict[str, PluginRef]] = [dict(zip(AXES, refs, strict=True)) for refs in cells]
    return [Row(each, seed, metrics=metrics) for each in axes for seed in suite.seeds]


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda experiment: experiment.name)
def test_every_claim_is_about_rows_of_its_suite(experiment: Experiment) -> None:
    results = SeedRows(rows_of(suite_of(experiment)))
    assert experiment.claims
    assert all(claim.judge(results).p is not None for claim in experiment.claims)


@pytest.mark.parametrize("experiment", [each for each in EXPERIMENTS if each.curve], ids=lambda each: each.name)
def test_every_curve_is_drawn_through_rows_of_its_suite(experiment: Experiment) -> None:
    assert isinstance(experiment.curve, ParameterCurve)
    rows = rows_of(suite_of(experiment))
    for point, series in product(experiment.curve.points.values(), experiment.curve.series.values()):
        labels = {**point, **series}
        assert [row for row in rows if all(row.names[axis] == label for axis, label in labels.items())]


def test_every_suite_of_the_paper_is_an_experiment() -> None:
    suites = {name for name in standard_suites() if name.startswith("paper/")}
    assert {experiment.suite for experiment in EXPERIMENTS} == suites


def test_names_and_numbers_tell_experiments_apart() -> None:
    known = [name for experiment in EXPERIMENTS for name in (experiment.name, experiment.number)]
    assert len(set(known)) == len(known)
    assert experiment_named("E8") is experiment_named("group")


def test_an_unknown_experiment_is_told_with_the_closest() -> None:
    with pytest.raises(UserError, match='unknown experiment "gruop"; did you mean "group"'):
        experiment_named("gruop")


TABULAR = [experiment for experiment in EXPERIMENTS if experiment.name != "images"]


@pytest.mark.parametrize("experiment", TABULAR, ids=lambda experiment: experiment.name)
def test_in_full_an_experiment_has_ten_originals_and_five_seeds(experiment: Experiment) -> None:
    suite = suite_of(experiment)
    assert len(suite.seeds) >= 5
    assert {(ref.episodes.originals, ref.episodes.requests) for ref in suite.datasets} == {(10, 20)}
