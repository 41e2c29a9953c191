"""Learning deleted records again: done where a metric asks for it, kept with the episode, submitted and checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from unlearnbench.run.episode_arrays import from_arrays
from unlearnbench.run.instances import PluginInstances
from unlearnbench.run.protocol import entries_of, entry_plan
from unlearnbench.submissions.check import check_submission
from unlearnbench.submissions.pack import Entry, pack
from unlearnbench.submissions.place import Place

if TYPE_CHECKING:
    from pathlib import Path

    from tests.run.conftest import Lab

SMALL: dict[str, Any] = {
    "models": [{"name": "mlp", "params": {"hidden": [4], "epochs": 5}}],
    "scenarios": [{"name": "group", "params": {"size": 3}}],
    "unlearners": ["retrain", "finetune"],
    "attacks": ["score-diff"],
    "metrics": ["auc", {"name": "relearn-time", "params": {"most": 4}}],
}


def test_only_target_models_learn_again_and_only_where_a_metric_asks(lab: Lab) -> None:
    plain = lab.plan(**{**SMALL, "metrics": ["auc"]})
    asked = lab.plan(**SMALL)
    assert {(task.side, task.relearn) for task in plain.episodes.values()} == {("target", 0), ("shadow", 0)}
    assert {(task.side, task.relearn) for task in asked.episodes.values()} == {("target", 4), ("shadow", 0)}
    kept = {task.side for key, task in asked.episodes.items() if key in plain.episodes}
    assert kept == {"shadow"}


def test_times_are_kept_with_the_episode_and_measured(lab: Lab) -> None:
    ran = lab.run(only=(), **SMALL)
    row = ran.row(unlearner="finetune", attack="score-diff")
    assert {"relearn-time", "relearn-time-retrained", "relearned"} <= row.metrics.keys()
    times = []
    for key, task in ran.plan.episodes.items():
        entry = ran.store.get("episode", key)
        assert entry is not None
        made = from_arrays(entry.arrays, {"train": 0.0, "unlearn": 0.0})
        assert (made.relearned is None) == (task.side == "shadow")
        if made.relearned is not None and task.unlearner.name == "finetune":
            times.append(made.relearned)
    assert {len(each) for each in times} == {3}
    assert row.metrics["relearn-time"].value == np.concatenate(times).mean()
    assert 0 <= np.concatenate(times).min() <= np.concatenate(times).max() <= 4


def test_models_that_are_no_networks_have_no_time(lab: Lab) -> None:
    ran = lab.run(only=(), **{**SMALL, "models": ["decision-tree"], "unlearners": ["retrain"]})
    assert ran.row(unlearner="retrain", attack="score-diff").metrics["relearn-time"].value is None


def test_a_submission_says_the_times_and_is_checked_without_findings(lab: Lab, tmp_path: Path) -> None:
    """Of an unlearner whose record names knobs, which are no part of a submission."""
    changes = {**SMALL, "unlearners": ["retrain", {"name": "l1-sparse", "params": {"epochs": 1}}]}
    ran = lab.run(only=(), **changes)
    suite, registry = lab.load(**changes)
    times = {row.metrics["relearn-time"].value for row in ran.rows if row.names["unlearner"].startswith("l1-sparse")}
    (plugin,) = (each for each in entries_of(suite, registry) if "l1-sparse" in str(each))
    plan = entry_plan(suite, plugin, PluginInstances(registry), "cpu")
    folder = pack(plan, registry, ran.store, Entry("A name", "An author"), Place(tmp_path / "leaderboards"), plugin)
    report = check_submission(folder, lab.folder / f"{suite.name}.yaml")
    assert [str(finding) for finding in report.findings] == []
    said = {row.metrics["relearn-time"].value for row in report.rows if row.names["unlearner"].startswith("l1-sparse")}
    assert said == times
    assert None not in said
