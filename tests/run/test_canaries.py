"""Canaries in a run: who holds them, what is measured on them, and which suites are refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.run.one_episode import PARTS
from unlearnbench.builtin.datasets.canaries.dataset import Canaries
from unlearnbench.builtin.scenarios.canary import Canary
from unlearnbench.core.errors import UserError
from unlearnbench.core.estimates import Estimate
from unlearnbench.core.pools import side_halves
from unlearnbench.core.records import Records
from unlearnbench.core.scenarios import Role
from unlearnbench.core.seeding import SeedPath
from unlearnbench.run.episodes import observe
from unlearnbench.run.reference_models import queried_records
from unlearnbench.submissions.check import check_submission
from unlearnbench.submissions.pack import Entry, pack
from unlearnbench.submissions.place import Place

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.run.conftest import Lab, Ran

CANARIES = {"name": "canaries", "params": {"of": "digits", "share": 0.1}}
ATTACKS = [
    {"name": "u-lira", "params": {"references": 4}},
    {"name": "rmia", "params": {"references": 4, "population": 20}},
    {"name": "population", "params": {"population": 20}},
    "score-diff",
]
SUITE: dict[str, Any] = {
    "datasets": [CANARIES],
    "scenarios": ["canary"],
    "attacks": ATTACKS,
    "metrics": ["auc", "epsilon-lower-bound", "utility"],
    "episodes": {"originals": 2, "requests": 3, "records": 200, "negatives": 10, "matched": 0, "retained": 4},
    "adversary": {"references": 4, "per_request": 8, "population": 20},
}


@pytest.fixture(scope="module")
def records() -> Records:
    return Canaries(of="digits", share=0.1).load()


@pytest.fixture(scope="module")
def ran(lab_in: Callable[[Path], Lab], tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """A run on canaries with four reference models; to be read only."""
    return lab_in(tmp_path_factory.mktemp("canaries")).run(only=("unlearner=retrain", "unlearner=none"), **SUITE)


def test_every_attack_has_a_row_and_epsilon_has_a_bound_where_thresholds_have(ran: Ran) -> None:
    assert ran.outcome.failed == 0
    by_record = [row for row in ran.rows if str(row.names["attack"]).startswith(("u-lira", "rmia", "population"))]
    assert len(by_record) == 6
    for row in by_record:
        assert row.metrics["auc"].value is not None
        assert row.metrics["epsilon-lower-bound"].status == "undefined"
    assert ran.row(attack="score-diff", unlearner="retrain").metrics["epsilon-lower-bound"].value is not None


def test_deleted_unseen_and_retained_records_are_canaries(ran: Ran, records: Records) -> None:
    assert records.canary is not None
    for key in ran.plan.episodes:
        entry = ran.store.get("episode", key)
        assert entry is not None
        role, queried = entry.arrays["row-role"], np.asarray(entry.arrays["row-record"])
        assert (role == Role.FORGOTTEN).sum() == 3
        assert records.canary[queried].all()


def test_half_of_the_reference_models_hold_each_queried_canary(ran: Ran, records: Records) -> None:
    group = ran.plan.groups[0]
    queried = queried_records(group.references[0], ran.store)
    held = np.zeros(len(queried))
    for task in group.references:
        entry = ran.store.get("reference", task.key)
        assert entry is not None
        rows = np.isin(entry.arrays["row-record"], queried)
        held += np.asarray(entry.arrays["row-member"], dtype=np.bool_)[rows, 0]
    assert set(held.tolist()) == {2}


def test_a_second_run_is_equal_to_the_bit(ran: Ran, lab: Lab, findings: Callable[[Ran], dict[str, object]]) -> None:
    again = lab.run(only=("unlearner=retrain", "unlearner=none"), **SUITE)
    assert findings(again) == findings(ran)


def test_a_submission_of_a_run_on_canaries_is_derived_again(lab: Lab, tmp_path: Path) -> None:
    ran = lab.run(only=(), **SUITE)
    suite, registry = lab.load(**SUITE)
    folder = pack(ran.plan, registry, ran.store, Entry("A name", "An author"), Place(tmp_path / "leaderboards"))
    report = check_submission(folder, lab.folder / f"{suite.name}.yaml")
    assert [str(finding) for finding in report.findings] == []


def test_what_models_are_worth_is_not_measured_on_canaries(records: Records) -> None:
    """Accuracies are those by hand over other records, but for that of the deleted ones, which are canaries."""
    parts = replace(PARTS, records=records, scenario=Canary(), sizes=replace(PARTS.sizes, records=300, matched=0))
    assert records.canary is not None
    original = parts.make_original()
    episode = observe(parts, original)
    pools, test = parts.pools
    assert not records.canary[test].any()
    assert records.canary[pools.training].any()

    def accuracy(ids: np.ndarray) -> float:
        return float((original.fitted.log_posteriors(records.x[ids]).argmax(axis=1) == records.y[ids]).mean())

    real = pools.training[~records.canary[pools.training]]
    assert episode.accuracy["train_original"][0] == accuracy(real)
    assert episode.accuracy["test_original"][0] == accuracy(test[:1000])
    rows = episode.observations
    for request in range(parts.sizes.requests):
        deleted = rows.record[(rows.request == request) & (rows.role == Role.FORGOTTEN)]
        assert records.canary[deleted].all()
        assert episode.accuracy["forget_original"][request] == accuracy(deleted)


def test_released_posteriors_are_not_measured_where_only_canaries_are_asked(ran: Ran) -> None:
    metrics = ran.row(attack="score-diff", unlearner="none").metrics
    told = "a request queries no unseen record that is no canary"
    assert (metrics["released-test-accuracy"].value, metrics["released-test-accuracy"].reason) == (None, told)
    assert metrics["test-accuracy-unlearned"].value is not None


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"datasets": [{"name": "canaries", "params": {"share": 0}}]}, "share"),
        ({"datasets": [{"name": "canaries", "params": {"share": 0.5}}]}, "share"),
        ({"datasets": [{"name": "canaries", "params": {"share": 0.0001}}]}, "is no canary"),
        ({"datasets": [{"name": "canaries", "params": {"kind": "common"}}]}, "kind"),
        ({"datasets": [{"name": "canaries", "params": {"of": "canaries"}}]}, "of"),
        ({"datasets": [{"name": "canaries", "params": {"count": 3}}]}, "count"),
        ({"episodes": {**SUITE["episodes"], "requests": 60}}, "are of its kind and have no duplicate; the largest"),
        ({"scenarios": [{"name": "canary", "params": {"size": 10}}]}, "are of its kind and have no duplicate"),
        ({"scenarios": [{"name": "canary", "params": {"size": 11}}]}, "10 negatives are there to balance them with"),
    ],
)
def test_wrong_declarations_are_refused_before_anything_runs(lab: Lab, changes: dict[str, Any], told: str) -> None:
    with pytest.raises(UserError) as refused:
        lab.plan(**{**SUITE, **changes})
    message = str(refused.value)
    assert told in message
    assert len(message.splitlines()) == 1
    assert len(message) <= 300


def test_no_more_canaries_are_queried_than_there_are(lab: Lab, records: Records) -> None:
    """So reference models of few records can hold all of them, however many requests there are."""
    plan = lab.plan(**{**SUITE, "episodes": {**SUITE["episodes"], "originals": 40}}, only=("attack=u-lira",))
    (queried,) = {task.queried for task in plan.references.values()}
    trainable, unseen = side_halves(records, "target", SeedPath(0) / "canaries")
    assert records.canary is not None
    assert queried == records.canary[trainable].sum() + records.canary[unseen].sum()
    assert queried < 40 * 3 * 5


def test_as_many_requests_as_are_named_fit_and_are_served(lab: Lab) -> None:
    sizes = SUITE["episodes"]
    with pytest.raises(UserError) as refused:
        lab.plan(**{**SUITE, "episodes": {**sizes, "requests": 100}})
    largest = int(str(refused.value).rpartition(" ")[2])
    ran = lab.run(**{**SUITE, "episodes": {**sizes, "requests": largest}, "adversary": {}, "attacks": ["score-diff"]})
    assert ran.outcome.failed == 0


@pytest.mark.parametrize(
    ("scenario", "told"),
    [
        ("canary", "needs a data set that says which records are canaries, such as canaries(of=digits); "),
        ("mislabelled", "needs a data set that says which labels are wrong, such as mislabelled(of=digits); "),
        ({"name": "column-group", "params": {"column": 64}}, "column: digits has columns 0 to 63, got 64"),
    ],
)
def test_a_scenario_is_skipped_with_the_reason_on_a_data_set_that_it_does_not_go_with(
    lab: Lab, scenario: Any, told: str
) -> None:
    plan = lab.plan(datasets=["digits", CANARIES], scenarios=[scenario, "single"])
    refused = [cell for cell in plan.skipped if cell.dataset.name == "digits"]
    assert {cell.scenario.name for cell in refused} == {scenario if isinstance(scenario, str) else scenario["name"]}
    (reason,) = {cell.reason for cell in refused}
    assert reason.startswith(told)
    assert plan.failed == ()
    assert ("digits", "single") in {(cell.dataset.name, cell.scenario.name) for cell in plan.cells.values()}


def test_its_sizes_count_only_on_data_sets_that_it_goes_with(lab: Lab) -> None:
    """With 60 requests there are too few canaries, but records enough for the other scenario."""
    sizes = {**SUITE["episodes"], "requests": 60}
    plan = lab.plan(datasets=["digits"], scenarios=["canary", "single"], episodes=sizes)
    assert {cell.scenario.name for cell in plan.cells.values()} == {"single"}


def test_canaries_that_stay_are_found_more_surely_than_other_records_and_deleted_ones_are_not(lab: Lab) -> None:
    """Fully grown trees know every record that they were trained on, and retrained ones no record that was deleted."""
    ran = lab.run(
        only=("unlearner=none", "unlearner=retrain", "attack=u-lira"),
        **{**SUITE, "scenarios": ["canary", "single"], "models": [GROWN], "episodes": MANY},
    )

    def auc(scenario: str, unlearner: str) -> Estimate:
        (row,) = (
            each
            for each in ran.rows
            if each.names["scenario"] == scenario
            and each.names["unlearner"] == unlearner
            and str(each.names["attack"]).startswith("u-lira")
        )
        return row.metrics["auc"]

    kept, deleted, ordinary = auc("canary", "none"), auc("canary", "retrain"), auc("single", "none")
    assert kept.value is not None
    assert ordinary.high is not None
    assert kept.value > ordinary.high
    assert deleted.low is not None
    assert deleted.high is not None
    assert deleted.low <= 0.5 <= deleted.high


GROWN = {"name": "decision-tree", "params": {"max_leaf_nodes": None}}
MANY = {"originals": 6, "requests": 8, "records": 300, "negatives": 18, "matched": 0, "retained": 0}
