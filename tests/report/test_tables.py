from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import get_args

import pytest

from unlearnbench.core.errors import UserError
from unlearnbench.core.estimates import Estimate
from unlearnbench.report.tables import FORMATS, Format, render
from unlearnbench.run.results import Row, RowStatus
from unlearnbench.suite.model import AXES

MakeRow = Callable[..., Row]


@pytest.fixture
def rows(row: MakeRow) -> list[Row]:
    """Rows of every status, on two attacks."""
    undefined = {"auc": Estimate(0.6, 0.5, 0.7, n=9), "deg-count": Estimate.undefined("n/a: scores are no numbers")}
    good = [row(seed=0), row(seed=1, metrics=undefined), row(seed=None, attack="random")]
    bad = [s for s in get_args(RowStatus) if s != "ok"]
    return [*good, *(row(seed=2 + i, status=s, reason=f"it was {s}") for i, s in enumerate(bad))]


@pytest.mark.parametrize("style", FORMATS)
def test_every_format_shows_every_row_that_is_to_run_and_every_reason(rows: list[Row], style: Format) -> None:
    text = render(rows, style)
    for row in rows:
        assert row.reason in text
    assert "decision-tree" in text
    if style in ("plain", "md"):
        assert text.count("sorted-diff") == len(rows) - 2
        assert "mean" in text


@pytest.mark.parametrize("style", FORMATS)
def test_no_rows_are_no_error(style: Format) -> None:
    assert isinstance(render([], style), str)


def table(text: str) -> list[list[str]]:
    """Return the cells of a Markdown table, header first."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in [lines[0], *lines[2:]]]


def test_markdown_tells_what_all_rows_share_once_and_leaves_no_number_blank(rows: list[Row]) -> None:
    text = render(rows, "md")
    caption = "dataset: adult, model: decision-tree, unlearner: retrain, scenario: single, defense: none"
    assert text.startswith(caption + "\n\n|")
    header, *lines = table(text)
    assert header == ["attack", "seed", "auc", "deg-count", "note"]
    assert len(lines) == len(rows) - 1
    assert all(cell for line in lines for cell in line[:-1])
    assert lines[0] == ["sorted-diff", "0", ".720 [.670, .770]", "n/a", ""]


def test_latex_keeps_what_all_rows_share_in_a_comment(rows: list[Row]) -> None:
    text = render(rows, "latex")
    assert text.startswith("% dataset: adult, ")
    assert "\\begin{tabular}" in text
    assert "\\toprule" in text


def test_a_metric_that_no_row_has_gets_no_column(row: MakeRow) -> None:
    assert "tpr" not in render([row()], "plain")


def test_json_gives_back_the_same_rows(rows: list[Row]) -> None:
    data = json.loads(render(rows, "json"))
    assert [Row.from_dict(one).to_dict() for one in data] == data
    assert data == json.loads(json.dumps([row.to_dict() for row in rows]))
    assert data[1]["metrics"]["deg-count"]["value"] is None
    assert data[0].keys() >= {*AXES, "seed", "metrics"}


def test_csv_has_one_line_for_each_row_and_metric(rows: list[Row]) -> None:
    lines = list(csv.DictReader(io.StringIO(render(rows, "csv"))))
    assert len(lines) == sum(max(1, len(row.metrics)) for row in rows)
    assert list(lines[0]) == [
        *AXES,
        "seed",
        "row_status",
        "row_reason",
        "metric",
        "value",
        "low",
        "high",
        "n",
        "status",
        "reason",
    ]
    first = lines[0]
    assert (first["seed"], first["metric"], float(first["value"]), first["status"]) == ("0", "auc", 0.72, "ok")
    failed = next(line for line in lines if line["row_status"] == "failed")
    assert (failed["metric"], failed["row_reason"]) == ("", "it was failed")


def test_csv_writes_numbers_in_full(row: MakeRow) -> None:
    third = row(metrics={"auc": Estimate(1 / 3, 0.1, 0.9, n=3)})
    (line,) = csv.DictReader(io.StringIO(render([third], "csv")))
    assert float(line["value"]) == 1 / 3


def test_a_metric_of_a_plugin_gets_a_column_and_what_is_left_out_is_named(row: MakeRow) -> None:
    numbers = dict.fromkeys(("auc", "best-f1", "advantage", "precision-at-prior-0.1"), Estimate(0.5, 0.4, 0.6, n=9))
    text = render([row(metrics=numbers)], "plain")
    assert "best-f1" in text.splitlines()[2]
    assert "advantage" not in text.splitlines()[2]
    assert text.endswith(
        "Also measured: advantage, precision-at-prior-0.1. --metric NAME shows one, --metric all shows all."
    )


def test_accuracy_and_seconds_stand_in_a_table_of_the_models_with_a_line_for_all_attacks(row: MakeRow) -> None:
    seconds = Estimate(0.00242, n=5, status="no-interval", reason="one machine", scale="positive")
    numbers = {"auc": Estimate(0.5, 0.4, 0.6, n=9), "seconds-to-unlearn": seconds}
    rows = [row(status="failed"), row(attack="euclidean", metrics=numbers), row(model="mlp", metrics=numbers)]
    attacks, models = render(rows, "md").split("\n\ndataset: ")
    assert [line[-1] for line in table(attacks)[1:]] == ["it broke", "", ""]
    assert table(models) == [
        ["model", "seed", "seconds-to-unlearn", "note"],
        ["decision-tree", "0", ".00242", ""],
        ["mlp", "0", ".00242", ""],
    ]


@pytest.mark.parametrize("style", FORMATS)
def test_only_the_metrics_that_are_asked_for_are_shown_in_any_format(row: MakeRow, style: Format) -> None:
    numbers = dict.fromkeys(("auc", "advantage", "seconds-to-unlearn"), Estimate(0.5, 0.4, 0.6, n=9))
    text = render([row(metrics=numbers)], style, ["advantage"])
    assert "advantage" in text
    assert "auc" not in text
    assert all(name in render([row(metrics=numbers)], style, ["all"]) for name in numbers)


def test_a_metric_that_nobody_measured_is_refused_with_the_closest_name(row: MakeRow) -> None:
    with pytest.raises(UserError, match='no row has the metric "acu"; did you mean "auc"'):
        render([row()], "plain", ["acu"])


def test_skipped_cells_are_one_line_for_each_reason_and_all_of_them_in_data(row: MakeRow) -> None:
    numbers = {"auc": Estimate(0.5, 0.4, 0.6, n=9)}
    seeds = [
        row(seed=seed, unlearner=name, status="skipped", reason=why)
        for name, why in (("newton", "needs <another> model"), ("ssd", "needs a network"), ("scrub", "needs a network"))
        for seed in (0, 1)
    ]
    rows = [row(metrics=numbers), *seeds, row(seed=None, unlearner="ssd", status="skipped", reason="needs a network")]
    text = render(rows, "plain")
    assert text.endswith("\n\n4 cells skipped: needs a network\n\n2 cells skipped: needs <another> model")
    assert not any(name in text for name in ("newton", "ssd"))
    assert "2 cells skipped: needs &lt;another&gt; model" in render(rows, "md")
    assert "% 2 cells skipped: needs" in render(rows, "latex")
    assert len(json.loads(render(rows, "json"))) == len(list(csv.DictReader(io.StringIO(render(rows, "csv"))))) == 8


def test_where_all_is_skipped_only_the_reasons_are_told(row: MakeRow) -> None:
    assert render([row(status="skipped", reason="needs a network")], "plain") == "1 cell skipped: needs a network"
    assert "1 cell skipped" in render([row(status="skipped", reason="needs a network")], "md")
