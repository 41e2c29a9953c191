"""Which episodes defenses, adversaries and sizes have of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from unlearnbench.core.errors import UserError
from unlearnbench.hooks.registry import Registry

if TYPE_CHECKING:
    from tests.run.conftest import Lab


def test_a_model_that_cannot_be_trained_as_a_defense_asks_is_skipped_with_the_reason(lab: Lab) -> None:
    plan = lab.plan(defenses=["none", "dp-sgd"])
    assert {cell.defense.name for cell in plan.cells.values()} == {"none"}
    assert {cell.reason for cell in plan.skipped} == {"decision-tree cannot be trained with dp"}


def test_a_defense_in_publication_has_episodes_of_its_own_and_one_at_release_shares_them(lab: Lab) -> None:
    plan = lab.plan(("unlearner=retrain",), defenses=["none", "label-only", "batched-release"])
    apart, shared = sorted(plan.groups, key=lambda group: len({cell.defense.name for cell in group.cells.values()}))
    assert {cell.defense.name for cell in apart.cells.values()} == {"batched-release"}
    assert {cell.defense.name for cell in shared.cells.values()} == {"none", "label-only"}
    assert not {task.key for task in apart.episodes} & {task.key for task in shared.episodes}
    assert {task.defense for task in shared.episodes} == {None}


def test_an_adversary_may_have_another_model(lab: Lab) -> None:
    other = {"name": "decision-tree", "shadow": "logistic-regression"}
    plan = lab.plan(("unlearner=retrain",), models=["decision-tree", other, "logistic-regression"])
    own, transfer, linear = (
        next(group for group in plan.groups if {cell.model.label for cell in group.cells.values()} == {label})
        for label in ("decision-tree", "decision-tree, shadow logistic-regression", "logistic-regression")
    )
    assert [task.key for task in transfer.target] == [task.key for task in own.target]
    assert [task.key for task in transfer.shadow] == [task.key for task in linear.shadow]


def test_an_adversarys_data_must_have_the_shape_of_the_targets(lab: Lab) -> None:
    with pytest.raises(UserError, match=r"shadow: digits has 10 classes, features \(64,\), and breast-cancer has 2"):
        lab.plan(datasets=[{"name": "breast-cancer", "shadow": "digits"}])


def test_a_data_set_at_several_sizes_is_a_row_for_each(lab: Lab) -> None:
    few, many = ({"name": "breast-cancer", "label": f"{n} shadows", "adversary": {"originals": n}} for n in (2, 3))
    plan = lab.plan(("unlearner=retrain",), datasets=[few, many, {**many, "label": "again"}])
    assert {cell.dataset.label for cell in plan.cells.values()} == {"2 shadows", "3 shadows", "again"}
    told = {next(iter(group.cells.values())).dataset.label: len(group.shadow) for group in plan.groups}
    assert told == {"2 shadows": 2, "3 shadows": 3, "again": 3}


def test_the_only_baseline_among_built_in_unlearners_is_retraining(registry: Registry) -> None:
    """Every plan has it, tables compare with it, and metrics that read retrained cells read its cells."""
    baselines = [entry.name for entry in registry.all("unlearner") if entry.plugin.role == "baseline"]
    assert baselines == ["retrain"]
