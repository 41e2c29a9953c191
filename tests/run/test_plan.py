from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.run.planning import ATTACKS, CONTROLS
from unlearnbench.run.store import Store

if TYPE_CHECKING:
    from tests.run.conftest import Lab, Ran


def test_controls_and_the_classical_baseline_stand_in_every_plan(lab: Lab) -> None:
    plan = lab.plan(unlearners=["sisa"], attacks=["euclidean"], metrics=["utility"])
    assert {cell.unlearner.name for cell in plan.cells.values()} == {*CONTROLS, "sisa"}
    assert {cell.attack.name for cell in plan.cells.values()} == {*ATTACKS, "euclidean"}
    assert {ref.name for group in plan.groups for ref in group.metrics} == {"utility", "auc"}
    assert [ref.name for ref in plan.suite.unlearners] == ["sisa"]


def test_what_a_suite_lists_is_not_added_again(lab: Lab) -> None:
    noisy = {"name": "random-noise", "params": {"sigma": 0.5}}
    plan = lab.plan(unlearners=[noisy], attacks=["blind", "random"])
    told = {cell.unlearner.label for cell in plan.cells.values()}
    assert told == {"random-noise(sigma=0.5)", "none", "noise-floor", "retrain"}
    assert Counter(cell.attack.name for cell in plan.cells.values()) == dict.fromkeys(ATTACKS, 4)


def test_a_plan_counts_cells_episodes_and_models(lab: Lab) -> None:
    plan = lab.plan(models=["decision-tree", "logistic-regression"], seeds=[0, 1], defenses=["none", "label-only"])
    attacks, unlearners = len(ATTACKS) + 1, len(CONTROLS)
    groups = 2 * unlearners * 2
    originals = 2 * 2 * (2 + 2)  # of two models and two seeds; all unlearners share them
    assert len(plan.groups) == groups
    assert plan.summary(Store(lab.folder / "store")) == {
        "cells": groups * 2 * attacks,
        "cells cached": 0,
        "cells skipped": 0,
        "cells failed": 0,
        "episodes": groups * (2 + 2),
        "episodes cached": 0,
        "models": originals + groups * 4 * 3,
        "models to train": originals + groups * 4 * 3,
    }


def test_a_plan_counts_what_the_store_holds(tiny: Ran) -> None:
    told = tiny.plan.summary(tiny.store)
    assert told["cells cached"] == told["cells"] == len(tiny.plan.cells)
    assert told["episodes cached"] == told["episodes"]
    assert told["models to train"] == 0


def test_planning_trains_nothing_and_writes_nothing(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    def train(*_: object) -> None:
        raise AssertionError("a plan must not train")

    monkeypatch.setattr("unlearnbench.builtin.models.decision_tree.DecisionTree.fit", train)
    before = set(lab.folder.iterdir()) | {lab.folder / "tiny.yaml"}
    lab.plan().summary(Store(lab.folder / "store"))
    assert set(lab.folder.iterdir()) == before


def test_an_adversary_of_other_sizes_gets_its_own_episodes(lab: Lab) -> None:
    plan = lab.plan(("unlearner=retrain",), adversary={"originals": 4, "records": 60})
    (group,) = plan.groups
    assert (len(group.target), len(group.shadow)) == (2, 4)
    assert {task.sizes.records for task in group.target} == {80}
    assert {task.sizes.records for task in group.shadow} == {60}
