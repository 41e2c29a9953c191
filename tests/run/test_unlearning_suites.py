"""The standard suites of unlearning methods: everything that they list is measured somewhere."""

from __future__ import annotations

from functools import cache

import pytest

from unlearnbench.core.dataset_cards import Located
from unlearnbench.core.datasets import Dataset
from unlearnbench.run.cells import Plan
from unlearnbench.run.instances import PluginInstances
from unlearnbench.run.plan import make_plan
from unlearnbench.suite.find import find_suite
from unlearnbench.suite.load import load_suite
from unlearnbench.suite.model import AXES

SUITES = ("quick-unlearn", "exact-tabular", "tabular-unlearn", "image-small")

FEWEST_ORIGINALS = 5
"""The fewest for which a number of one seed has an interval."""

pytestmark = pytest.mark.parametrize("name", SUITES)


@cache
def planned(name: str) -> Plan:
    suite, registry = load_suite(find_suite(name))
    instances = PluginInstances(registry)
    for ref in suite.datasets:
        data = instances.make(ref, Dataset)
        if isinstance(data, Located) and not data.availability().available:
            pytest.skip(f"{ref.name} is not here")
    return make_plan(suite, instances, suite.device)


def test_no_cell_fails_when_it_is_planned(name: str) -> None:
    assert not planned(name).failed


def test_everything_that_is_listed_is_measured_somewhere(name: str) -> None:
    plan = planned(name)
    measured = {(axis, getattr(cell, axis).label) for cell in plan.cells.values() for axis in AXES}
    assert measured == {(axis, ref.label) for axis in AXES for ref in getattr(plan.full, f"{axis}s")}


def test_every_exclusion_takes_cells_away(name: str) -> None:
    plan = planned(name)
    assert {rule.because for rule in plan.suite.exclude} <= {cell.reason for cell in plan.skipped}


def test_no_suite_lists_less_than_its_plan_measures(name: str) -> None:
    plan = planned(name)
    assert plan.full.unlearners == plan.suite.unlearners
    assert plan.full.attacks == plan.suite.attacks


def test_there_are_originals_enough_for_intervals(name: str) -> None:
    assert all(ref.episodes.originals >= FEWEST_ORIGINALS for ref in planned(name).suite.datasets)
