"""Every refusal names the largest size that fits, and that size does fit."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from unlearnbench.core.errors import UserError
from unlearnbench.core.pools import side_pools
from unlearnbench.core.seeding import SeedPath
from unlearnbench.run.instances import PluginInstances

if TYPE_CHECKING:
    from tests.run.conftest import Lab

FEW_REFERENCES = {"name": "u-lira", "params": {"references": 4}}
SIZES = {"originals": 2, "requests": 3, "records": 80, "negatives": 10}


def refusal(lab: Lab, **changes: Any) -> str:
    with pytest.raises(UserError) as caught:
        lab.plan(**changes)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    return message


@pytest.mark.parametrize("dataset", ["breast-cancer", "digits"])
@pytest.mark.parametrize("name", ["records", "negatives", "requests"])
@pytest.mark.parametrize("side", ["both", "shadow"])
def test_the_largest_size_that_is_named_fits_and_one_more_does_not(
    lab: Lab, dataset: str, name: str, side: str
) -> None:
    def sizes(n: int) -> dict[str, Any]:
        asked = {**SIZES, name: n}
        return {"episodes": asked} if side == "both" else {"episodes": SIZES, "adversary": {name: n}}

    message = refusal(lab, datasets=[dataset], **sizes(10**6))
    assert f" side: {name}: 1000000 is too large, " in message
    assert message.startswith(f"{dataset}, {'' if side == 'both' else side}")
    largest = int(re.search(r"the largest that fits is (\d+)$", message)[1])  # type: ignore[index]  # fails loudly
    assert largest > SIZES[name]
    lab.plan(datasets=[dataset], **sizes(largest))
    assert f"the largest that fits is {largest}" in refusal(lab, datasets=[dataset], **sizes(largest + 1))


@pytest.mark.parametrize(
    ("episodes", "adversary", "told"),
    [
        ({"negatives": 57, "retained": 40}, {}, "records that requests query: 303 is too large, 160 may be queried"),
        ({"records": 200}, {}, "records: 200 is too large, 113 can have reference models"),
        ({}, {"population": 58}, "population: 58 is too large, 57 are unseen and have no duplicate"),
        ({}, {"per_request": 41}, "per_request: 41 is too large, 40 can be forgotten at once"),
        ({"matched": 1}, {}, "matched: 1 is too large, 0 can be there with reference models"),
    ],
    ids=["queries", "records", "population", "per request", "matched"],
)
def test_sizes_that_reference_models_cannot_have_are_refused(
    lab: Lab, episodes: dict[str, int], adversary: dict[str, int], told: str
) -> None:
    sizes = {
        "episodes": {**SIZES, "matched": 0, "retained": 4, **episodes},
        "adversary": {"references": 4, **adversary},
    }
    assert told in refusal(lab, attacks=[FEW_REFERENCES], **sizes)


def test_reference_models_limit_only_the_cells_that_ask_them(lab: Lab) -> None:
    """So a scenario that queries many records can be in the suite, without the attacks that need reference models."""
    sizes: dict[str, Any] = {
        "attacks": [FEW_REFERENCES, "sorted-diff"],
        "scenarios": ["single", {"name": "group", "params": {"size": 20}}],
        "episodes": {**SIZES, "negatives": 20, "matched": 0, "retained": 4},
        "adversary": {"references": 4},
    }
    assert "records that requests query: 201 is too large, 160 may be queried" in refusal(lab, **sizes)
    excluded = {"scenario": "group", "attack": "u-lira", "because": "it queries many records"}
    plan = lab.plan(exclude=[excluded], **sizes)
    assert {cell.scenario.name for cell in plan.cells.values()} == {"single", "group"}
    assert {task.queried for task in plan.references.values()} == {87}


def test_sizes_of_a_scenario_whose_cells_are_all_excluded_do_not_count(lab: Lab) -> None:
    many: dict[str, Any] = {"scenarios": ["single", {"name": "group", "params": {"size": 11}}], "episodes": SIZES}
    assert "a request of scenario group forgets: 11 is too large" in refusal(lab, **many)
    lab.plan(exclude=[{"scenario": "group", "because": "too many"}], **many)


DUPLICATES = """
import numpy as np
from unlearnbench import Dataset, DatasetPlugin, Provenance, Records, hookimpl

class Coarse(Dataset):
    def load(self):
        x = np.random.default_rng(0).integers(0, 20, size=(400, 2)).astype(float)
        return Records("coarse", x, np.arange(400) % 2, 2, Provenance("made here", "CC0"))

@hookimpl
def unlearnbench_datasets():
    yield DatasetPlugin(name="coarse", summary="Few values, so many duplicates.", factory=Coarse)
"""


@pytest.mark.parametrize(("scenario", "pool"), [("single", "deletable"), ("online", "addable")])
def test_the_original_with_the_most_duplicates_sets_the_limit(lab: Lab, scenario: str, pool: str) -> None:
    named: dict[str, Any] = {"plugins": [lab.plugin(DUPLICATES)], "datasets": ["coarse"]}
    few = {"originals": 5, "requests": 1, "records": 60 if pool == "deletable" else 130, "negatives": 4}
    suite, registry = lab.load(episodes=few, **named)
    records = PluginInstances(registry).records(suite.datasets[0])
    fewest = min(
        len(getattr(side_pools(records, side, suite.datasets[0].episodes, i, SeedPath(0) / "coarse")[0], pool))
        for side in ("target", "shadow")
        for i in range(5)
    )
    params = {"delete": 1, "add": 10**4} if scenario == "online" else {}
    many = {**few, "requests": 1 if scenario == "online" else 100}
    message = refusal(lab, episodes=many, scenarios=[{"name": scenario, "params": params}], **named)
    assert message.endswith(f"the largest that fits is {fewest}")


def groups(size: int) -> list[object]:
    return [{"name": "group", "params": {"size": size}}]


def test_the_largest_number_of_groups_fits_and_one_more_does_not(lab: Lab) -> None:
    message = refusal(lab, scenarios=groups(10), episodes={**SIZES, "requests": 50})
    largest = int(message.rpartition(" ")[2])
    lab.plan(scenarios=groups(10), episodes={**SIZES, "requests": largest})
    assert message.endswith(str(largest))
    refusal(lab, scenarios=groups(10), episodes={**SIZES, "requests": largest + 1})


def test_the_largest_group_fits_and_one_more_does_not(lab: Lab) -> None:
    one = {**SIZES, "requests": 1, "records": 30, "negatives": 40}
    message = refusal(lab, scenarios=groups(500), episodes=one)
    assert "records that a request of scenario group forgets: 500 is too large" in message
    largest = int(message.rpartition(" ")[2])
    lab.plan(scenarios=groups(largest), episodes=one)
    assert message.endswith(str(largest))
    assert str(largest) in refusal(lab, scenarios=groups(largest + 1), episodes=one)


def test_a_request_needs_as_many_negatives_as_it_forgets_records(lab: Lab) -> None:
    message = refusal(lab, scenarios=groups(11), episodes=SIZES)
    assert "11 is too large, 10 negatives are there to balance them with" in message
    lab.plan(scenarios=groups(10), episodes=SIZES)
    lab.plan(scenarios=groups(11), episodes={**SIZES, "negatives": 11})


@pytest.mark.parametrize("changed", ["requests", "add"])
def test_the_most_that_can_be_added_fits_and_one_more_does_not(lab: Lab, changed: str) -> None:
    def changes(n: int) -> dict[str, Any]:
        requests, add = (n, 40) if changed == "requests" else (1, n)
        online = {"name": "online", "params": {"add": add}}
        return {"scenarios": [online], "episodes": {**SIZES, "requests": requests}}

    message = refusal(lab, **changes(600 if changed == "add" else 60))
    assert "outside a training set of 80 may be trained on and have no duplicate" in message
    largest = int(message.rpartition(" ")[2])
    lab.plan(**changes(largest))
    assert message.endswith(f"the largest that fits is {largest}")
    assert f"the largest that fits is {largest}" in refusal(lab, **changes(largest + 1))


def test_what_is_named_fits_every_seed_since_each_has_its_own_split(lab: Lab) -> None:
    def sizes(requests: int, seeds: list[int]) -> dict[str, Any]:
        return {"datasets": ["adult"], "seeds": seeds, "episodes": {**SIZES, "records": 500, "requests": requests}}

    def largest(*seeds: int) -> int:
        return int(refusal(lab, **sizes(500, list(seeds))).rpartition(" ")[2])

    alone = [largest(seed) for seed in range(4)]
    assert len(set(alone)) > 1, "duplicates fall differently into training sets"
    together = largest(*range(4))
    assert together == min(alone)
    lab.plan(**sizes(together, [0, 1, 2, 3]))


def test_a_suite_of_full_size_runs(lab: Lab) -> None:
    """What a refusal calls the largest is not only planned but can be run."""
    message = refusal(lab, episodes={**SIZES, "requests": 10**6, "records": 20})
    largest = int(message.rpartition(" ")[2])
    ran = lab.run(only=("unlearner=none", "attack=classical"), episodes={**SIZES, "requests": largest, "records": 20})
    assert ran.outcome.failed == 0


EVERYTHING = """
from unlearnbench import Request, Scenario, ScenarioPlugin, Step, hookimpl

class Everything(Scenario):
    def deletions_needed(self, sizes):
        return sizes.requests
    def requests(self, pools, sizes, seeds, original):
        return [Request((Step(pools.training[:40]), Step(pools.training[40:])))] * sizes.requests

@hookimpl
def unlearnbench_scenarios():
    yield ScenarioPlugin(name="everything", summary="Says that it deletes one.", factory=Everything)
"""


@pytest.mark.parametrize(
    "scenario", [{"name": "group", "params": {"size": 30}}, {"name": "sequence", "params": {"versions": 2, "size": 15}}]
)
def test_a_request_that_deletes_the_whole_training_set_is_refused(lab: Lab, scenario: dict[str, Any]) -> None:
    one = {**SIZES, "requests": 1, "records": 30, "negatives": 40}
    message = refusal(lab, scenarios=[scenario], episodes=one)
    assert message.endswith("have no duplicate, and one must stay; the largest that fits is 29")


def test_all_but_one_record_can_be_deleted_whatever_the_unlearner(lab: Lab) -> None:
    one = {**SIZES, "requests": 1, "records": 30, "negatives": 40}
    sisa = {"name": "sisa", "params": {"shards": 3}}
    ran = lab.run(
        only=("attack=score-diff",),
        unlearners=["retrain", sisa],
        attacks=["score-diff"],
        scenarios=groups(29),
        episodes=one,
    )
    assert {row.status for row in ran.rows} == {"ok"}


def test_a_scenario_that_deletes_more_than_it_says_fails_its_cells_by_name_of_the_request(lab: Lab) -> None:
    ran = lab.run(only=("unlearner=none",), scenarios=["everything"], plugins=[lab.plugin(EVERYTHING)])
    assert {row.reason for row in ran.rows} == {
        "target original 0: ValueError: request 0 deletes all 80 records of the training set; one must stay"
    }
