from __future__ import annotations

import csv
import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from unlearnbench.report.tables import FORMATS
from unlearnbench.suite.model import AXES

if TYPE_CHECKING:
    from tests.cli.conftest import Said

Say = Callable[..., "Said"]
Change = Callable[..., None]
PART = ("--only", "unlearner=retrain", "--only", "attack=sorted-diff")


@pytest.mark.parametrize("style", FORMATS)
def test_results_come_in_every_format_before_and_after_a_run(say: Say, style: str) -> None:
    said = say("results", "tiny.yaml", *PART, "--format", style)
    assert (said.code, said.err) == (0, "")
    assert "not run yet" in said.out
    say("run", "tiny.yaml", *PART)
    said = say("results", "tiny.yaml", *PART, "--format", style)
    assert (said.code, said.err) == (0, "")
    assert "not run yet" not in said.out
    assert "sorted-diff" in said.out


def test_json_has_name_parameters_seed_and_metrics_of_every_row(say: Say, change: Change) -> None:
    change(seeds=[0, 1])
    say("run", "tiny.yaml", *PART)
    rows = json.loads(say("results", "tiny.yaml", *PART, "--format", "json").out)
    assert [(row["attack"]["name"], row["seed"]) for row in rows] == [
        ("sorted-diff", 0),
        ("sorted-diff", 1),
        ("blind", 0),
        ("blind", 1),
        ("sorted-diff", None),
        ("blind", None),
    ]
    for row in rows:
        assert all(row[axis].keys() == {"name", "params"} for axis in AXES)
        assert row["metrics"]["auc"]["value"] is not None
        tpr = row["metrics"]["tpr-at-fpr-0.01"]
        assert (tpr["value"], tpr["status"]) == (None, "undefined")
        assert tpr["reason"]
    assert rows[0]["attack"]["params"]["model"] == "decision-tree"


def test_csv_has_every_number(say: Say) -> None:
    say("run", "tiny.yaml", *PART)
    lines = list(csv.DictReader(say("results", "tiny.yaml", *PART, "--format", "csv").out.splitlines()))
    assert {line["row_status"] for line in lines} == {"ok"}
    for line in lines:
        assert line["value"] or line["reason"]


def test_results_of_a_single_seed(say: Say) -> None:
    say("run", "tiny.yaml", *PART, "--seed", "5")
    rows = json.loads(say("results", "tiny.yaml", *PART, "--seed", "5", "--format", "json").out)
    assert {(row["seed"], row["status"]) for row in rows} == {(5, "ok")}
    rows = json.loads(say("results", "tiny.yaml", *PART, "--format", "json").out)
    assert {(row["seed"], row["status"]) for row in rows} == {(0, "missing")}


def test_json_is_short_for_the_format(say: Say) -> None:
    assert say("results", "tiny.yaml", *PART, "--json") == say("results", "tiny.yaml", *PART, "--format", "json")


def test_an_unknown_format_is_told_in_one_line(say: Say) -> None:
    said = say("results", "tiny.yaml", "--format", "excel")
    assert (said.code, said.out) == (2, "")
    assert "'--format'" in said.err
    assert len(said.err.splitlines()) == 1
