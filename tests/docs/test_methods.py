"""The page on unlearning methods says what the methods' classes and the engine say."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.gradients.case import Case, made_up
from unlearnbench.builtin.models.mlp.model import MLP
from unlearnbench.engine.gradients.unlearner import GradientUnlearner
from unlearnbench.hooks.parameters import build
from unlearnbench.hooks.registry import load_registry

PAGE = Path(__file__).parents[2] / "docs" / "methods.md"
ROWS = {
    cells[0].strip(" `"): [cell.strip() for cell in cells[1:]]
    for line in PAGE.read_text(encoding="utf-8").splitlines()
    if line.startswith("| `")
    for cells in [line.strip("|").split("|")]
}
"""The other cells of each row by the method's name."""
UNLEARNERS = load_registry(discover=False).all("unlearner")
METHODS = {each.name: method for each in UNLEARNERS if isinstance(method := build(each, {}), GradientUnlearner)}
SETS = {"F": "forget-set", "R": "retain-set", "V": "validation-set", "L": "training-log"}
EPOCHS = 40
LONG = Case(MLP(hidden=(4,), epochs=EPOCHS), made_up(3000), 3000)
every_method = pytest.mark.parametrize("name", METHODS)


def test_every_method_has_a_row_and_controls_have_none() -> None:
    assert ROWS.keys() == {each.name for each in UNLEARNERS if each.plugin.role != "control"}


@every_method
def test_what_it_reads_is_what_its_class_declares(name: str) -> None:
    told = ROWS[name][1].split(", ")
    sees = {SETS[each] for each in told if each in SETS} | (set() if "no labels" in told else {"labels"})
    assert sees == set(METHODS[name].sees or ())


@every_method
def test_the_mode_is_that_of_its_class_and_edits_have_none_but_evaluation(name: str) -> None:
    method = METHODS[name]
    assert ROWS[name][2] == (method.mode if method.stages(LONG.original()) else "eval")


@every_method
def test_the_cost_is_what_the_engine_counts_for_one_record(name: str) -> None:
    """Of 2,999 records that stay; within a fiftieth, as samples are rounded and the record itself counts."""
    told = ROWS[name][3].partition(";")[0]
    epochs = told.removesuffix(" / E")
    known = {"about 0": 0.0, "1": 1.0, "C / E": LONG.records.n_classes / EPOCHS}
    method = METHODS[name]
    cost = method.record_passes(LONG.deletions(method, [[1]])[0])
    expected = known[told] if told in known else float(epochs) / EPOCHS
    assert cost == pytest.approx(expected, rel=0.02, abs=2e-3)
