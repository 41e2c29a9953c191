"""What --only keeps of a suite."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.run.planning import CONTROLS
from unlearnbench.core.errors import UserError
from unlearnbench.run.cells import Cell
from unlearnbench.run.selection import Selection

if TYPE_CHECKING:
    from tests.run.conftest import Lab


def test_only_keeps_what_has_the_name_or_label(lab: Lab) -> None:
    trees = [{"name": "decision-tree", "params": {"max_leaf_nodes": n}} for n in (5, 10, 20)]
    by_label = lab.plan(("model=decision-tree(max_leaf_nodes=5)", "model=decision-tree"), models=trees)
    assert {cell.model.label for cell in by_label.cells.values()} == {
        "decision-tree(max_leaf_nodes=5)",
        "decision-tree(max_leaf_nodes=20)",
        "decision-tree",
    }
    one = lab.plan(("model=decision-tree(max_leaf_nodes=5)", "unlearner=none", "seed=1"), models=trees, seeds=[0, 1])
    told = {(cell.model.label, cell.unlearner.name, cell.seed) for cell in one.cells.values()}
    assert told == {("decision-tree(max_leaf_nodes=5)", "none", 1)}


def test_cells_that_only_leaves_out_are_never_made(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Cell] = []

    def make(*parts: object) -> Cell:
        made.append(Cell(*parts))  # type: ignore[arg-type]  # the arguments of a cell, as they come
        return made[-1]

    monkeypatch.setattr("unlearnbench.run.expansion.Cell", make)
    trees = [{"name": "decision-tree", "params": {"max_leaf_nodes": n}} for n in (5, 10)]
    plan = lab.plan(("unlearner=none", "attack=random", "seed=2"), models=trees, seeds=[0, 1, 2])
    assert len(made) == len(plan.cells) == 2 * 2
    assert len(plan.full.unlearners) == len(CONTROLS)


def test_a_data_set_that_only_leaves_out_is_not_loaded(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(_: object) -> None:
        raise AssertionError("nobody needs it")

    monkeypatch.setattr("unlearnbench.builtin.datasets.digits.Digits.load", load)
    plan = lab.plan(("dataset=breast-cancer",), datasets=["breast-cancer", "digits"])
    assert {cell.dataset.name for cell in plan.cells.values()} == {"breast-cancer"}


def test_only_keeps_blind_with_any_attack_since_it_tells_which_rows_are_valid(lab: Lab) -> None:
    plan = lab.plan(("attack=sorted-diff", "unlearner=retrain"))
    assert {cell.attack.name for cell in plan.cells.values()} == {"sorted-diff", "blind"}


def test_only_keeps_skipped_cells_too(lab: Lab) -> None:
    rule = {"model": "decision-tree", "because": "elsewhere"}
    models = ["decision-tree", "logistic-regression"]
    plan = lab.plan(("model=decision-tree",), models=models, exclude=[rule])
    assert not plan.cells
    assert {cell.model.name for cell in plan.skipped} == {"decision-tree"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sorted-diff", '--only sorted-diff: must be key=value, for example "attack=sorted-diff"'),
        ("attack=", "--only attack=: must be key=value"),
        ("atack=sorted-diff", "--only atack=sorted-diff: unknown key 'atack'; did you mean \"attack\"?"),
        ("metric=auc", "--only metric=auc: unknown key 'metric'"),
        ("=x", "--only =x: unknown key ''"),
        ("attack=sorted-dif", '--only attack=sorted-dif: the suite has no such attack; did you mean "sorted-diff"?'),
        ("seed=7", "--only seed=7: the suite has no such seed; known: 0"),
        ("model=lightgbm", "--only model=lightgbm: the suite has no such model; known: decision-tree"),
    ],
)
def test_a_wrong_selection_is_told_in_one_line(lab: Lab, text: str, said: str) -> None:
    with pytest.raises(UserError) as caught:
        lab.plan((text,))
    assert said in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_selections_of_one_key_widen_and_of_several_narrow() -> None:
    selection = Selection.parse(["attack=a", "attack=b", "model=m=1"])
    assert selection.only == {"attack": {"a", "b"}, "model": {"m=1"}}
