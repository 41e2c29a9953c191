"""Both plug-ins on cases worked by hand, all that unlearnbench asks of their kinds, and a whole run with both."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from unlearnbench import FitTask, Provenance, Records, Seeds, Step, TrainingSet
from unlearnbench.cli import main

from unlearnbench_wine_neighbours.nearest_neighbours import NearestNeighbours
from unlearnbench_wine_neighbours.wine import Wine

pytest_plugins = ["unlearnbench.testing.pytest_plugin"]
unlearnbench_plugins = "unlearnbench-wine-neighbours"

SUITE = """\
suite: wines
version: 1
datasets: [wine]
models: [voting-neighbours]
unlearners: [retrain]
attacks: [score-diff]
metrics: [auc]
episodes: {originals: 2, requests: 3, records: 60, negatives: 5, matched: 1, retained: 2}
"""


def test_conformance(conformance_check: Callable[[], None]) -> None:
    conformance_check()


@pytest.fixture
def line() -> Records:
    """Return records at 0, 1, 2, ... with labels 0, 0, 1, 1, 0, 1."""
    x = np.arange(6.0)[:, None]
    return Records("line", x, np.array([0, 0, 1, 1, 0, 1]), 2, Provenance("made up", "public domain"))


def answers(model: NearestNeighbours, data: TrainingSet, x: list[float]) -> NDArray[np.float64]:
    fitted = model.fit(FitTask(data, Seeds(0, 0, 0)), "cpu")
    return np.asarray(np.exp(fitted.log_posteriors(np.array(x)[:, None])))


def test_the_nearest_vote(line: Records) -> None:
    data = TrainingSet.of(line, range(6))
    votes = answers(NearestNeighbours(k=3, smoothing=0.5), data, [0.0, 2.9])
    assert votes == pytest.approx(np.array([[2.5, 1.5], [1.5, 2.5]]) / 4)


def test_a_deletion_moves_the_neighbours_of_the_record_only(line: Records) -> None:
    data = TrainingSet.of(line, range(6))
    model = NearestNeighbours(k=1)
    before, after = (answers(model, each, [0.1, 2.1, 4.9]) for each in (data, data.after(Step(np.array([0])))))
    assert np.array_equal(before[1:], after[1:])


def test_with_fewer_records_than_neighbours_all_vote(line: Records) -> None:
    votes = answers(NearestNeighbours(k=5, smoothing=1.0), TrainingSet.of(line, [0, 3]), [0.0])
    assert votes == pytest.approx(np.array([[0.5, 0.5]]))


def test_neighbours_know_wines() -> None:
    records = Wine().load()
    assert (len(records), records.x.shape[1], records.n_classes) == (178, 13, 3)
    fitted = NearestNeighbours().fit(FitTask(TrainingSet.of(records, range(0, 178, 2)), Seeds(0, 0, 0)), "cpu")
    right = fitted.log_posteriors(records.x[1::2]).argmax(axis=1) == records.y[1::2]
    assert right.mean() > 0.9


def test_a_whole_run_takes_both(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    suite = tmp_path / "wines.yaml"
    suite.write_text(SUITE)
    assert main(["run", str(suite), "--store", str(tmp_path / "store")]) == 0
    assert "0 failed" in capsys.readouterr().out
