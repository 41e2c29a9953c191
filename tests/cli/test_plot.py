"""``unlearnbench plot``: files of a finished run, and one line for what cannot be drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from unlearnbench.cli import main
from unlearnbench.report.plots.choose import Where
from unlearnbench.report.plots.gather import degradation_gains, roc_runs
from unlearnbench.run.results import Row, collect
from unlearnbench.run.session import Session, SessionOptions, open_session
from unlearnbench.stats import auc

SUITE = """
suite: tiny
version: 1
datasets: [breast-cancer]
models: [decision-tree]
unlearners: [retrain]
scenarios: [{name: group, params: {size: 2}}, {name: group, params: {size: 4}}]
attacks: [sorted-diff, classical]
episodes: {originals: 2, requests: 2, records: 60, negatives: 5, matched: 1, retained: 2}
engine: reference
"""
ONE = ("--where", "scenario=group(size=2)")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a suite that was run."""
    folder = tmp_path_factory.mktemp("plot")
    (folder / "tiny.yaml").write_text(SUITE)
    assert main(["run", str(folder / "tiny.yaml"), "--store", str(folder / "store")]) == 0
    return folder


def plot(folder: Path, kind: str, *options: str) -> int:
    return main(
        [
            "plot",
            kind,
            str(folder / "tiny.yaml"),
            "--store",
            str(folder / "store"),
            "--out",
            str(folder / "out"),
            *options,
        ]
    )


def gathered(folder: Path) -> tuple[Session, list[Row]]:
    session = open_session(folder / "tiny.yaml", SessionOptions(folder / "store"))
    rows = Where.parse([ONE[1]]).choose(session.plan, collect(session.plan, session.store))
    return session, rows


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("roc", ONE),
        ("degradation", ONE),
        ("parameter", ("--x", "scenario.size")),
        ("frontier", ONE),
        ("pareto", (*ONE, "--x", "overfitting")),
    ],
)
def test_a_figure_is_written_twice_the_same_and_its_files_are_told(
    tiny: Path, kind: str, options: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert plot(tiny, kind, *options) == 0
    files = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert files == [tiny / "out" / f"tiny-{kind}.svg", tiny / "out" / f"tiny-{kind}.png"]
    before = [file.read_bytes() for file in files]
    assert plot(tiny, kind, *options) == 0
    assert [file.read_bytes() for file in files] == before


def test_the_curves_are_of_the_scores_that_the_table_was_measured_on(tiny: Path) -> None:
    run, rows = gathered(tiny)
    for scored, row in zip(roc_runs(run, rows), rows, strict=True):
        assert auc(scored.scores, scored.positive) == pytest.approx(row.metrics["auc"].value)


def test_gains_are_those_that_deg_count_and_deg_rate_summarize(tiny: Path) -> None:
    run, rows = gathered(tiny)
    (gains,) = degradation_gains(run, rows)  # the classical attack is its own baseline
    metrics = rows[0].metrics
    assert (gains.gains > 0).mean() == pytest.approx(metrics["deg-count"].value)
    assert np.mean(gains.gains) == pytest.approx(metrics["deg-rate"].value)


@pytest.mark.parametrize(
    ("kind", "options", "said"),
    [
        ("pie", (), "'pie'"),
        ("parameter", (), "needs --x"),
        ("parameter", ("--x", "scenario.sise"), 'did you mean "size"'),
        ("frontier", (*ONE, "--metric", "acu"), 'did you mean "auc"'),
        ("pareto", ONE, "the suite does not measure 'test-accuracy-gap'"),
        ("pareto", ("--x", "overfitting"), "choose one with --where"),
        ("roc", ("--where", "attack"), "must be axis=label"),
        ("roc", ("--where", "atack=classical"), 'did you mean "attack"'),
        ("roc", ("--where", "attack=clasical"), 'did you mean "classical"'),
        ("degradation", (*ONE, "--where", "attack=classical"), "nothing to plot"),
        ("roc", ("--seed", "7"), "--seed 7 --store"),
    ],
)
def test_what_cannot_be_drawn_is_one_line(
    tiny: Path, kind: str, options: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert plot(tiny, kind, *options) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert len(err.splitlines()) == 1
