"""An original is trained once for all episodes that start from it, and nobody can tell from the results."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from unlearnbench.builtin.executors.processes import ProcessExecutor
from unlearnbench.builtin.models.decision_tree import DecisionTree
from unlearnbench.core.executors import Failure
from unlearnbench.core.models import FitTask, Fitted
from unlearnbench.run.cells import EpisodeTask, Plan
from unlearnbench.run.episode_arrays import to_arrays
from unlearnbench.run.episodes import Episode
from unlearnbench.run.instances import PluginInstances
from unlearnbench.run.originals import EpisodeWork
from unlearnbench.run.runner import side_by_side

if TYPE_CHECKING:
    from tests.run.conftest import Lab

TWO_SCENARIOS = ["single", {"name": "group", "params": {"size": 2}}]


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[FitTask]:
    """Write down every tree that is trained."""
    tasks: list[FitTask] = []
    fit = DecisionTree.fit

    def spy(self: DecisionTree, task: FitTask, device: str) -> Fitted:
        tasks.append(task)
        return fit(self, task, device)

    monkeypatch.setattr(DecisionTree, "fit", spy)
    return tasks


def originals(tasks: list[FitTask]) -> Counter[str]:
    """Count the trainings on whole training sets, by training set."""
    return Counter(task.data.fingerprint for task in tasks if task.data.reference is None)


def test_every_original_is_trained_once_whoever_starts_from_it(lab: Lab, trained: list[FitTask]) -> None:
    three = ("unlearner=retrain", "unlearner=none", "unlearner=random-noise")
    ran = lab.run(only=three, scenarios=TWO_SCENARIOS)
    assert len(ran.plan.episodes) == 3 * 2 * 4, "three unlearners, two scenarios, two originals of two sides"
    assert set(originals(trained).values()) == {1}
    assert len(originals(trained)) == 4


def test_the_plan_counts_the_models_that_are_trained(lab: Lab, trained: list[FitTask]) -> None:
    ran = lab.run(scenarios=TWO_SCENARIOS)
    assert ran.plan.models == len(trained) == 4 + 4 * 2 * 3


def test_what_an_unlearner_trains_beside_the_original_is_not_given_to_the_next(
    lab: Lab, trained: list[FitTask]
) -> None:
    twice = ["retrain", {"name": "retrain", "params": {"order": "compact"}}, {"name": "sisa", "params": {"shards": 1}}]
    lab.run(only=("unlearner=retrain", "unlearner=sisa"), unlearners=twice)
    assert Counter(len(task.data) for task in trained) == {80: 4 + 4, 79: 4 * 3 * 3}


def test_sisa_alone_never_asks_for_the_original(lab: Lab, trained: list[FitTask]) -> None:
    lab.run(only=("unlearner=sisa",), unlearners=[{"name": "sisa", "params": {"shards": 4}}])
    assert max(len(task.data) for task in trained) == 20


def test_an_episode_is_bitwise_the_same_alone_and_with_others(lab: Lab) -> None:
    changes: dict[str, Any] = {"unlearners": ["retrain", "none", "random-noise"], "scenarios": TWO_SCENARIOS}
    _, registry = lab.load(**changes)
    instances = PluginInstances(registry)
    shared = EpisodeWork.here(instances)
    episodes = by_original(lab.plan(**changes))[0]
    for episode in episodes:
        together, alone = shared(episode), EpisodeWork.here(instances)(episode)
        assert isinstance(alone, Episode)
        assert isinstance(together, Episode)
        ours, theirs = to_arrays(alone), to_arrays(together)
        assert all(np.array_equal(ours[name], theirs[name]) for name in ours)


def by_original(plan: Plan) -> list[list[EpisodeTask]]:
    """Return the episodes of each original."""
    found: dict[object, list[EpisodeTask]] = {}
    for task in plan.episodes.values():
        found.setdefault(task.original_key, []).append(task)
    return [*found.values()]


def test_training_counts_for_every_episode_though_it_is_done_once(lab: Lab) -> None:
    _, registry = lab.load()
    work = EpisodeWork.here(PluginInstances(registry))
    episodes = [work(task) for task in by_original(lab.plan())[0]]
    assert len(episodes) > 1
    assert all(isinstance(episode, Episode) and episode.seconds["train"] > 0 for episode in episodes)


def test_tasks_that_share_something_are_brought_side_by_side() -> None:
    assert side_by_side(["a1", "b1", "a2", "c1", "b2"], lambda task: task[0]) == ["a1", "a2", "b1", "b2", "c1"]


@pytest.mark.parametrize(
    "changes",
    [
        {"seeds": [0, 1]},
        {"models": ["decision-tree", "logistic-regression"]},
        {"models": ["mlp"], "defenses": ["none", "dropout"]},
        {"datasets": ["breast-cancer", "digits"]},
    ],
    ids=str,
)
def test_another_model_seed_data_set_or_training_defense_is_another_original(lab: Lab, changes: dict[str, Any]) -> None:
    originals = by_original(lab.plan(("unlearner=none",), **changes))
    assert [len(episodes) for episodes in originals] == [1] * 2 * 4


def test_a_defense_in_publication_or_at_release_shares_the_original(lab: Lab) -> None:
    plan = lab.plan(("unlearner=none",), defenses=["none", "label-only", "batched-release"])
    assert [len(episodes) for episodes in by_original(plan)] == [2] * 4


def test_only_what_is_missing_is_run_again(lab: Lab, trained: list[FitTask]) -> None:
    lab.run(only=("unlearner=none",))
    trained.clear()
    ran = lab.run(only=("unlearner=none", "unlearner=random-noise"))
    assert ran.outcome.failed == 0
    assert len(trained) == 4, "the originals, for random-noise"
    trained.clear()
    lab.run(only=("unlearner=none", "unlearner=random-noise"))
    assert trained == []


MODEL = """
from unlearnbench import ModelPlugin, TargetModel, hookimpl

class Fails(TargetModel):
    def fit(self, task, device):
        raise RuntimeError("cannot learn")

@hookimpl
def unlearnbench_models():
    yield ModelPlugin(name="fails", summary="Fails.", factory=Fails)
"""


def test_an_original_that_cannot_be_trained_fails_all_its_episodes_with_that_reason(lab: Lab) -> None:
    ran = lab.run(only=(), models=["fails"], plugins=[lab.plugin(MODEL)])
    failures = [ran.store.failure("episode", key) for key in ran.plan.episodes]
    assert {failure.reason for failure in failures if failure} == {"RuntimeError: cannot learn"}
    assert len(failures) == len(ran.plan.episodes)


UNLEARNERS = """
import os
from unlearnbench import FunctionUnlearner, UnlearnerPlugin, hookimpl

class Exits(FunctionUnlearner):
    def unlearn(self, deletion):
        os._exit(3)

@hookimpl
def unlearnbench_unlearners():
    yield UnlearnerPlugin(name="exits", summary="Exits.", factory=Exits)
"""


@pytest.mark.slow
def test_a_worker_that_dies_costs_only_the_episodes_of_the_guilty_plugin(lab: Lab) -> None:
    changes: dict[str, Any] = {"unlearners": ["exits", "retrain"], "plugins": [lab.plugin(UNLEARNERS)]}
    ran = lab.run(only=(), executor=ProcessExecutor(1), **changes)
    failures = {task.unlearner.name: ran.store.failure("episode", key) for key, task in ran.plan.episodes.items()}
    assert failures.pop("exits") == Failure("crashed", "its process exited with 3")
    assert set(failures.values()) == {None}
    assert len(failures) == 4
