"""What to test of a plug-in: all that its kind must do, its arithmetic by hand, and that a whole run takes it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier
from unlearnbench import Original, Provenance, Records, SeedPath, SklearnModel, Step, TrainingSet, load_registry
from unlearnbench.cli import main

from unlearnbench_example.subsample import Subsample

pytest_plugins = ["unlearnbench.testing.pytest_plugin"]
unlearnbench_plugins = "unlearnbench-example"

SUITE = """\
suite: tiny
version: 1
datasets: [breast-cancer]
models: [decision-tree]
unlearners: [subsample]
attacks: [largest-move]
metrics: [auc]
episodes: {originals: 2, requests: 2, records: 80, negatives: 5}
"""


class Tree(SklearnModel):
    def estimator(self, seed: int) -> DecisionTreeClassifier:
        return DecisionTreeClassifier(random_state=seed)


@pytest.fixture
def original() -> Original:
    x = np.arange(200.0)[:, None]
    records = Records("line", x, np.arange(200) % 2, 2, Provenance("made up", "none"))
    return Original(Tree(), TrainingSet.of(records, range(200)), SeedPath(0))


def test_conformance(conformance_check: Callable[[], None]) -> None:
    conformance_check()


def test_both_are_found_by_their_entry_point() -> None:
    registry = load_registry()
    found = registry.get("attack", "largest-move"), registry.get("unlearner", "subsample")
    assert {str(plugin.source) for plugin in found} == {"distribution unlearnbench-example 0.1.0"}


def test_a_forgotten_record_is_trained_on_by_no_later_version(original: Original) -> None:
    step = Step(np.arange(50))
    (job,) = Subsample(share=1.0).jobs(original, [step], SeedPath(0) / "version")
    assert job.data.kept_ids.tolist() == list(range(50, 200))


def test_versions_are_trained_on_shares_of_their_own(original: Original) -> None:
    first, second = (Subsample(share=0.5).jobs(original, [], SeedPath(0) / v)[0] for v in (1, 2))
    assert 70 < len(first.data) < 130
    assert set(first.data.kept_ids) != set(second.data.kept_ids)


def test_a_whole_run_takes_both(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    suite = tmp_path / "tiny.yaml"
    suite.write_text(SUITE)
    only = ("--only", "unlearner=subsample", "--only", "attack=largest-move")
    assert main(["run", str(suite), *only, "--store", str(tmp_path / "store")]) == 0
    assert "0 failed, 0 skipped" in capsys.readouterr().out
