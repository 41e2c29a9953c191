"""Metrics that compare a cell with the same cell where the unlearner retrains."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from unlearnbench.builtin.metrics.auc import Auc
from unlearnbench.core.attacks import Attack
from unlearnbench.run.attacking import Scores, attack_scores
from unlearnbench.run.cell_results import CellResult, get_result
from unlearnbench.run.game import Game
from unlearnbench.run.instances import PluginInstances
from unlearnbench.run.protocol import entries_of, entry_plan
from unlearnbench.submissions.check import check_submission
from unlearnbench.submissions.pack import Entry, pack
from unlearnbench.submissions.place import Place

if TYPE_CHECKING:
    from tests.run.conftest import Lab, Ran

METRIC = """
from typing import ClassVar
from unlearnbench import Estimate, Metric, MetricPlugin, hookimpl

class Gap(Metric):
    reads_retrained: ClassVar[bool] = True

    def measure(self, cell):
        other = cell.retrained
        gaps = {
            "score-gap": abs(cell.scores).mean() - abs(other.scores).mean(),
            "accuracy-gap": (cell.utility.test_accuracy_unlearned - other.utility.test_accuracy_unlearned).mean(),
        }
        return {name: Estimate(float(gap), status="no-interval", reason="a difference") for name, gap in gaps.items()}

@hookimpl
def unlearnbench_metrics():
    yield MetricPlugin(name="gap", summary="Difference from retraining.", factory=Gap)
"""
CHANGES: dict[str, Any] = {
    "unlearners": ["none", "retrain"],
    "attacks": ["score-diff"],
    "metrics": ["gap"],
    "defenses": ["none", "label-only"],
}


@pytest.fixture
def ran(lab: Lab) -> Ran:
    return lab.run(only=(), plugins=[lab.plugin(METRIC)], **CHANGES)


def result(ran: Ran, **labels: str) -> CellResult:
    (key,) = (key for key, cell in ran.plan.cells.items() if labels.items() <= dict(cell.labels).items())
    found = get_result(ran.store, key)
    assert found is not None
    return found


def gap(ran: Ran, **labels: str) -> float | None:
    return result(ran, **labels).estimates["score-gap"].value


@pytest.mark.parametrize("defense", ["none", "label-only"])
def test_the_gap_is_that_of_the_stored_scores_and_none_for_retraining(ran: Ran, defense: str) -> None:
    assert ran.outcome.failed == 0
    labels = {"attack": "score-diff", "defense": defense}
    own, other = (result(ran, unlearner=name, **labels).scores.scores for name in ("none", "retrain"))
    assert abs(own).mean() != abs(other).mean()
    assert gap(ran, unlearner="none", **labels) == abs(own).mean() - abs(other).mean()
    assert gap(ran, unlearner="retrain", **labels) == 0
    accuracy = [row.metrics["accuracy-gap"].value for row in ran.rows if row.names["unlearner"] == "retrain"]
    assert set(accuracy) == {0}


def test_retraining_is_attacked_once_for_all_unlearners(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    def counted(game: Game, attack: Attack, name: str, second: Attack) -> Scores:
        calls.append(name)
        return attack_scores(game, attack, name, second)

    monkeypatch.setattr("unlearnbench.run.evaluation.attack_scores", counted)
    ran = lab.run(only=(), plugins=[lab.plugin(METRIC)], **CHANGES)
    assert len(calls) == sum(cell.attack.name != "oracle-label" for cell in ran.plan.cells.values())


def test_without_retraining_in_the_selection_the_numbers_are_the_same(ran: Ran, lab: Lab) -> None:
    alone = lab.run(only=("unlearner=none",), store="alone", plugins=["mine.py"], **CHANGES)
    assert {cell.labels["unlearner"] for cell in alone.plan.cells.values()} == {"none"}
    assert alone.plan.cells.keys() < ran.plan.cells.keys()
    labels = {"unlearner": "none", "attack": "score-diff", "defense": "none"}
    assert gap(alone, **labels) == gap(ran, **labels)


def test_keys_depend_on_retraining_only_where_a_metric_reads_it(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    def keys() -> dict[tuple[str, ...], str]:
        plan = lab.plan(unlearners=["none", "retrain"])
        return {(*cell.labels.values(), str(cell.seed)): key for key, cell in plan.cells.items()}

    before = keys()
    monkeypatch.setattr(Auc, "reads_retrained", True)
    after = keys()
    assert before.keys() == after.keys()
    assert all((before[name] == after[name]) == (name[2] == "retrain") for name in before)


def test_a_submission_with_such_a_metric_is_checked_without_findings(ran: Ran, lab: Lab, tmp_path: Path) -> None:
    suite, registry = lab.load(plugins=["mine.py"], **CHANGES)
    folder = pack(ran.plan, registry, ran.store, Entry("A name", "An author"), Place(tmp_path / "leaderboards"))
    report = check_submission(folder, lab.folder / f"{suite.name}.yaml", run_plugin_files=True)
    assert [str(finding) for finding in report.findings] == []
    computed = {row.metrics["score-gap"].value for row in report.rows if row.names["unlearner"] == "none"}
    assert computed == {row.metrics["score-gap"].value for row in ran.rows if row.names["unlearner"] == "none"}


UNLEARNING: dict[str, Any] = {
    "unlearners": ["retrain", "sisa", "none"],
    "attacks": ["score-diff"],
    "metrics": ["auc", "cost", "retraining-gap"],
    "defenses": ["none", "posterior-noise"],
}


def test_built_in_comparisons_have_the_values_that_controls_must_have(lab: Lab) -> None:
    ran = lab.run(only=(), **UNLEARNING)
    for row in ran.rows:
        values = {name: estimate.value for name, estimate in row.metrics.items()}
        if row.names["unlearner"] == "retrain":
            assert (values["record-passes"], values["seconds-over-retraining"]) == (1, 1)
            assert (values["tug-of-war"], values["divergence-forgotten"], values["test-accuracy-gap"]) == (1, 0, 0)
        elif row.names["unlearner"] == "none":
            assert values["record-passes"] == 0
            assert row.note == f"unmoved {row.metrics['record-passes'].n}/{row.metrics['record-passes'].n}"
        elif row.names["unlearner"] == "sisa":
            assert 0 < (values["record-passes"] or 0) < 0.2
            assert row.note == ""


def test_submissions_with_the_built_in_comparisons_are_checked_without_findings(lab: Lab, tmp_path: Path) -> None:
    ran = lab.run(only=(), **UNLEARNING)
    suite, registry = lab.load(**UNLEARNING)
    rows = [row.to_dict() for row in ran.rows]
    for plugin in (None, *entries_of(suite, registry)):
        plan = entry_plan(suite, plugin, PluginInstances(registry), "cpu")
        folder = pack(plan, registry, ran.store, Entry("A name", "An author"), Place(tmp_path / "leaderboards"), plugin)
        report = check_submission(folder, lab.folder / f"{suite.name}.yaml")
        assert [str(finding) for finding in report.findings] == []
        assert all(row.to_dict() in rows for row in report.rows)
        unlearners = {row.names["unlearner"] for row in report.rows}
        assert ("sisa" in unlearners, "retrain" in unlearners) == (plugin is not None, True)
