"""The shards of a plan are the plan: each cell once, and each original in one shard where that can be."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from unlearnbench.run.cells import Plan
from unlearnbench.run.shards import Shard

if TYPE_CHECKING:
    from tests.run.conftest import Lab

MODELS = ["decision-tree", "logistic-regression", "random-forest"]


@pytest.fixture(scope="module")
def plan(lab_in: object, tmp_path_factory: pytest.TempPathFactory) -> Plan:
    lab: Lab = lab_in(tmp_path_factory.mktemp("shards"))  # type: ignore[operator]  # makes a laboratory
    return lab.plan(models=MODELS, seeds=[0, 1], scenarios=["single", {"name": "group", "params": {"size": 2}}])


@pytest.mark.parametrize("n", [1, 2, 3, 5, 7, 20, 70])
def test_the_cells_of_all_shards_are_those_of_the_plan(plan: Plan, n: int) -> None:
    parts = [Shard(number, n).of_plan(plan) for number in range(1, n + 1)]
    assert Counter(key for part in parts for key in part.cells) == Counter([*plan.cells])
    assert all(part.episodes.items() <= plan.episodes.items() for part in parts)
    assert {key for part in parts for key in part.episodes} == set(plan.episodes)


@pytest.mark.parametrize("n", [1, 2, 3, 6])
def test_an_original_is_trained_in_one_shard(plan: Plan, n: int) -> None:
    parts = [Shard(number, n).of_plan(plan) for number in range(1, n + 1)]
    trained = Counter(key for part in parts for key in {task.original_key for task in part.episodes.values()})
    assert set(trained.values()) == {1}
    costs = [part.models for part in parts]
    assert max(costs) <= 2 * min(costs)


def test_more_shards_than_models_and_seeds_share_originals_and_none_is_idle(plan: Plan) -> None:
    parts = [Shard(number, 20).of_plan(plan) for number in range(1, 21)]
    assert all(part.cells for part in parts)


def test_a_shard_has_the_controls_of_its_cells(plan: Plan) -> None:
    for number in (1, 2, 3, 4):
        attacks = Counter(cell.attack.name for cell in Shard(number, 4).of_plan(plan).cells.values())
        assert len(set(attacks.values())) == 1
        assert "blind" in attacks


def test_the_same_suite_has_the_same_shards_whatever_is_stored(lab: Lab) -> None:
    first, again = lab.plan(models=MODELS[:2]), lab.plan(models=MODELS[:2])
    assert [*Shard(2, 3).of_plan(first).cells] == [*Shard(2, 3).of_plan(again).cells]
