from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from unlearnbench import Executor, Limits, Results, UserError, Work, run_suite
from unlearnbench.core.estimates import is_measured
from unlearnbench.core.executors import NO_LIMITS

SUITE = """
suite: tiny
version: 1
datasets: [breast-cancer]
models: [decision-tree]
unlearners: [retrain]
attacks: [sorted-diff]
seeds: [0, 1]
episodes: {originals: 2, requests: 2, records: 60, negatives: 5, matched: 1, retained: 2}
engine: reference
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    folder = tmp_path_factory.mktemp("suite")
    (folder / "tiny.yaml").write_text(SUITE)
    return run_suite(folder / "tiny.yaml", store=folder / "store", only=["unlearner=retrain"])


def test_a_suite_is_run_and_its_rows_come_back(results: Results) -> None:
    assert len(results) == len(results.rows) > 0
    assert {row.status for row in results.rows} == {"ok"}
    assert {row.seed for row in results.rows} == {0, 1, None}


def test_a_row_is_found_by_name_and_is_the_mean_over_seeds(results: Results) -> None:
    row = results.row(attack="sorted-diff")
    assert row.seed is None
    values = [results.row(seed=seed, attack="sorted-diff").metrics["auc"].value for seed in (0, 1)]
    assert row.metrics["auc"].value == pytest.approx(sum(value or 0 for value in values) / 2)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"atack": "random"}, "row: there is no axis 'atack'; did you mean \"attack\"?"),
        ({"attack": "sorted-dif"}, "row: no attack 'sorted-dif' here; did you mean \"sorted-diff\"?"),
        ({"seed": 9}, "row: no seed 9 here; known: 0, 1, None"),
        ({"model": "decision-tree"}, "row: 6 rows have these names; choose one by attack"),
    ],
)
def test_a_row_that_is_none_or_several_is_told(asked: dict[str, Any], told: str, results: Results) -> None:
    with pytest.raises(UserError) as caught:
        results.row(**asked)
    assert str(caught.value) == told


def test_a_table_is_what_the_command_line_prints(results: Results) -> None:
    assert str(results) == results.table()
    assert "sorted-diff" in results.table("md")


def test_records_are_one_a_row_and_metric(results: Results) -> None:
    records = results.records()
    assert len(records) == sum(len(row.metrics) for row in results.rows)
    first = records[0]
    assert {"dataset", "model", "attack", "seed", "row_status", "metric", "value", "low", "high", "n"} <= first.keys()
    assert all(record.keys() == first.keys() for record in records)


def test_a_row_without_a_result_is_a_record_too(results: Results) -> None:
    row = results.rows[0]
    failed = Results((type(row)(row.axes, 0, "failed", "it broke"),))
    (record,) = failed.records()
    assert (record["row_status"], record["row_reason"], record["metric"], record["value"]) == (
        "failed",
        "it broke",
        None,
        None,
    )


@pytest.mark.parametrize("name", ["pandas", "polars"])
def test_a_data_frame_is_made_of_the_records(name: str, results: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    library = ModuleType(name)
    library.DataFrame = lambda records, **_: ("frame", records)  # type: ignore[attr-defined]  # a made-up library
    monkeypatch.setitem(sys.modules, name, library)
    assert getattr(results, f"to_{name}")() == ("frame", results.records())


@pytest.mark.parametrize("name", ["pandas", "polars"])
def test_a_data_frame_without_its_library_is_refused(
    name: str, results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(UserError, match=f"^{name} is not installed: python -m pip install {name}, or use records"):
        getattr(results, f"to_{name}")()


def test_an_unknown_suite_is_a_users_mistake() -> None:
    with pytest.raises(UserError, match="unknown suite"):
        run_suite("quickstrat")


def test_one_seed_and_the_smoke_profile_are_the_flags_of_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(SUITE)
    asked = ["unlearner=retrain", "attack=random"]
    results = run_suite(tmp_path / "tiny.yaml", store=tmp_path / "s", only=asked, seed=7, profile="smoke")
    assert {row.seed for row in results.rows} == {7}


class Backwards(Executor):
    """The last task first."""

    def run(self, work: Work[Any, Any], tasks: Sequence[Any], limits: Limits = NO_LIMITS) -> Iterator[tuple[Any, Any]]:
        for task in reversed(tasks):
            yield task, work(task)


def scores(results: Results) -> list[dict[str, Any]]:
    return [record for record in results.records() if not is_measured(str(record["metric"]))]


@pytest.mark.parametrize("executor", [Backwards(), "processes:workers=1"])
def test_an_executor_is_an_object_or_a_text_and_changes_no_result(
    executor: str | Executor, results: Results, tmp_path: Path
) -> None:
    (tmp_path / "tiny.yaml").write_text(SUITE)
    again = run_suite(tmp_path / "tiny.yaml", store=tmp_path / "s", only=["unlearner=retrain"], executor=executor)
    assert scores(again) == scores(results)


SCRIPT = """
from unlearnbench import run_suite
run_suite("tiny.yaml", workers=2)
"""


def test_a_script_without_a_guard_is_told_what_to_write(tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(SUITE)
    (tmp_path / "script.py").write_text(SCRIPT)
    done = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.count("Traceback") == 1, "that of the script itself"
    assert done.stderr.splitlines()[-1].endswith('below the line: if __name__ == "__main__":')
