"""Which cells a suite excludes, and how many are left."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlearnbench.suite.model import AXES, DatasetRef, Exclusion, PluginRef, Suite

NAMES = ("a", "b", "c")
CELLS = [dict(zip(AXES, names, strict=True)) for names in product(NAMES, repeat=len(AXES))]
RULES = st.lists(
    st.dictionaries(st.sampled_from(AXES), st.sampled_from(NAMES), min_size=1, max_size=3), min_size=1, max_size=12
)


def suite(rules: list[dict[str, str]]) -> Suite:
    """Return a suite of three plug-ins on each axis, two models of one name, and two seeds."""
    refs = {axis: tuple(PluginRef(axis, name) for name in NAMES) for axis in AXES}
    return Suite(
        name="some",
        version=1,
        seeds=(0, 1),
        datasets=tuple(DatasetRef("dataset", name) for name in NAMES),
        models=(*refs["model"], PluginRef("model", "c", {"depth": 3}, "c(depth=3)")),
        unlearners=refs["unlearner"],
        scenarios=refs["scenario"],
        defenses=refs["defense"],
        attacks=refs["attack"],
        metrics=(),
        exclude=tuple(Exclusion(rule, f"rule {i}") for i, rule in enumerate(rules)),  # type: ignore[arg-type]  # axes
    )


def first_rule(cell: dict[str, str], rules: list[dict[str, str]]) -> str | None:
    """Return the reason of the first rule that a cell matches, one rule after the other."""
    for i, rule in enumerate(rules):
        if all(cell.get(axis) == name for axis, name in rule.items()):
            return f"rule {i}"
    return None


@given(RULES, st.sampled_from(CELLS), st.sets(st.sampled_from(AXES)))
def test_the_first_rule_that_matches_gives_the_reason(
    rules: list[dict[str, str]], cell: dict[str, str], left_out: set[str]
) -> None:
    fewer = {axis: name for axis, name in cell.items() if axis not in left_out}
    for queried in (cell, fewer):
        assert suite(rules).excluded(queried) == first_rule(queried, rules)  # type: ignore[arg-type]  # axes


@pytest.mark.parametrize("rules", [[], [{"model": "c"}], [{"model": "c", "attack": "a"}, {"dataset": "b"}]])
def test_the_cells_of_all_entries_and_seeds_are_counted(rules: list[dict[str, str]]) -> None:
    left = [cell for cell in CELLS if first_rule(dict(cell.items()), rules) is None]
    twice = [cell for cell in left if cell["model"] == "c"]  # the model with parameters
    assert suite(rules).n_cells == 2 * (len(left) + len(twice))
