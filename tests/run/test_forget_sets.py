"""Scenarios that choose who is deleted by labels or by the original model, as plug-ins of a few lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from unlearnbench.core.scenarios import Role
from unlearnbench.run.cells import EpisodeTask
from unlearnbench.run.instances import PluginInstances
from unlearnbench.run.originals import parts_of
from unlearnbench.submissions.derived import Derivation
from unlearnbench.testing import findings_of

if TYPE_CHECKING:
    from tests.run.conftest import Lab, Ran

SCENARIOS = """
from dataclasses import dataclass

import numpy as np

from unlearnbench import Request, Scenario, ScenarioPlugin, Step, UserError, hookimpl


@dataclass(frozen=True)
class OneClass(Scenario):
    '''Each request deletes records of one class.

    ``label``: of the class

    ``size``: records of a request
    '''

    label: int = 0
    size: int = 4

    def deletions_needed(self, sizes):
        return self.size * sizes.requests

    def requests(self, pools, sizes, seeds, original):
        of_class = pools.deletable[original.data.records.y[pools.deletable] == self.label]
        if len(of_class) < self.deletions_needed(sizes):
            raise UserError(f"class {self.label} has {len(of_class)} records; ask for fewer requests")
        groups = of_class[: self.deletions_needed(sizes)].reshape(sizes.requests, self.size)
        return [Request((Step(group),)) for group in groups]


@dataclass(frozen=True)
class LargestLoss(Scenario):
    '''Each request deletes one of the records with the largest loss under the original model.'''

    def deletions_needed(self, sizes):
        return sizes.requests

    def requests(self, pools, sizes, seeds, original):
        records = original.data.records
        answers = original.fitted.log_posteriors(records.x[pools.deletable])
        loss = -answers[np.arange(len(answers)), records.y[pools.deletable]]
        worst = pools.deletable[np.argsort(-loss, kind="stable")[: sizes.requests]]
        return [Request((Step(worst[r : r + 1]),)) for r in range(sizes.requests)]


@hookimpl
def unlearnbench_scenarios():
    yield ScenarioPlugin(name="one-class", summary="Records of one class", factory=OneClass)
    yield ScenarioPlugin(name="largest-loss", summary="Records with the largest loss", factory=LargestLoss)
"""


def forgotten(ran: Ran, scenario: str, unlearner: str = "retrain") -> dict[EpisodeTask, np.ndarray]:
    """Return the ids that each episode of a scenario deletes."""
    found = {}
    for key, task in ran.plan.episodes.items():
        if (task.scenario.name, task.unlearner.name) == (scenario, unlearner):
            entry = ran.store.get("episode", key)
            assert entry is not None, ran.store.failure("episode", key)
            found[task] = entry.arrays["row-record"][entry.arrays["row-role"] == Role.FORGOTTEN]
    return found


def run(lab: Lab, scenario: str) -> tuple[Ran, PluginInstances]:
    changes: dict[str, Any] = {
        "datasets": ["digits"],
        "models": [{"name": "decision-tree", "params": {"max_leaf_nodes": 12}}],
        "unlearners": ["retrain", "sisa"],
        "scenarios": [scenario],
        "episodes": {"originals": 2, "requests": 3, "records": 300, "negatives": 20, "matched": 2, "retained": 4},
        "plugins": [lab.plugin(SCENARIOS)],
    }
    return lab.run(only=(), **changes), PluginInstances(lab.load(**changes)[1])


def test_records_of_one_class_can_be_deleted(lab: Lab) -> None:
    ran, instances = run(lab, "one-class")
    assert ran.outcome.failed == 0
    episodes = forgotten(ran, "one-class")
    assert len(episodes) == 4
    for task, ids in episodes.items():
        assert len(ids) == 3 * 4
        assert not instances.records(task.dataset).y[ids].any()


def test_records_with_the_largest_loss_can_be_deleted(lab: Lab) -> None:
    ran, instances = run(lab, "largest-loss")
    assert ran.outcome.failed == 0
    for task, ids in forgotten(ran, "largest-loss").items():
        parts = parts_of(task, instances)
        pools, original, y = parts.pools[0], parts.make_original(), parts.records.y
        answers = original.fitted.log_posteriors(parts.records.x)
        loss = -answers[np.arange(len(y)), y]
        kept = np.setdiff1d(pools.deletable, ids)
        assert loss[ids].min() >= loss[kept].max()


def test_every_unlearner_meets_the_same_requests_sisa_too(lab: Lab) -> None:
    ran, _ = run(lab, "largest-loss")
    met = [list(map(list, forgotten(ran, "largest-loss", name).values())) for name in ("retrain", "none", "sisa")]
    assert met[0] == met[1] == met[2]


def test_both_pass_the_conformance_kit(lab: Lab) -> None:
    _, registry = lab.load(plugins=[lab.plugin(SCENARIOS)])
    for name in ("one-class", "largest-loss"):
        assert findings_of(registry.get("scenario", name), registry) == []


def test_a_check_of_a_submission_derives_the_same_forget_sets_for_each_model(lab: Lab) -> None:
    trees = [{"name": "decision-tree", "params": {"max_leaf_nodes": leaves}} for leaves in (3, 12)]
    sizes = {"originals": 1, "requests": 3, "records": 300, "negatives": 20, "matched": 2, "retained": 4}
    changes: dict[str, Any] = {"datasets": ["digits"], "models": trees, "scenarios": ["largest-loss"]}
    changes |= {"episodes": sizes, "plugins": [lab.plugin(SCENARIOS)]}
    ran = lab.run(**changes)
    derivation = Derivation(PluginInstances(lab.load(**changes)[1]))
    met = forgotten(ran, "largest-loss")
    for task, ids in met.items():
        rows = derivation.side([task]).rows
        assert rows.record[rows.role == Role.FORGOTTEN].tolist() == ids.tolist()
    assert len({tuple(ids) for task, ids in met.items() if task.side == "target"}) == 2, "each model has its own"
