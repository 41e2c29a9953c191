"""Pictures of experiments: which rows become points."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from unlearnbench.core.errors import UserError
from unlearnbench.core.estimates import Estimate
from unlearnbench.report.plots.choose import Where, series, title
from unlearnbench.report.plots.gather import frontier_points, parameter_points
from unlearnbench.report.roles import PluginRole, Roles
from unlearnbench.reproduction.experiment import ParameterCurve, points_along
from unlearnbench.reproduction.figures import curve_points
from unlearnbench.run.results import Row, RowStatus
from unlearnbench.suite.model import AXES, Axis, PluginRef

USUAL: dict[str, str] = dict(
    zip(AXES, ("adult", "decision-tree", "retrain", "single", "none", "sorted-diff"), strict=True)
)


def row(auc: float = 0.7, status: RowStatus = "ok", params: dict[str, object] | None = None, **labels: str) -> Row:
    """A row; ``params`` are those of its scenario."""
    known: dict[str, str] = {**USUAL, **labels}
    axes = {axis: PluginRef(cast(Axis, axis), label.partition("(")[0], {}, label) for axis, label in known.items()}
    scenario = axes["scenario"]
    axes["scenario"] = PluginRef("scenario", scenario.name, params or {}, scenario.label)
    metrics = {"auc": Estimate(auc, auc - 0.1, auc + 0.1), "released-test-accuracy": Estimate(0.8)}
    return Row(axes, 0, status, "" if status == "ok" else "why", metrics if status == "ok" else {})


def grouped(size: object, auc: float, **labels: str) -> Row:
    return row(auc, "ok", {"size": size}, scenario=f"group(size={size})", **labels)


def listing(*rows: Row) -> Any:  # no whole plan is needed
    """A plan whose suite lists what these rows have."""
    axes = {axis: {row.axes[axis] for row in rows} for axis in AXES}
    return SimpleNamespace(suite=SimpleNamespace(axes=axes))


def test_a_curve_takes_the_rows_its_labels_name_and_keeps_their_intervals() -> None:
    curve = ParameterCurve(
        "size", points_along("scenario", {1: "single", 2: "group(size=2)"}), {"ours": {"attack": "sorted-diff"}}
    )
    rows = [row(0.9), grouped(2, 0.6), row(0.5, attack="classical"), row(0.1, defense="label-only")]
    points = curve_points(curve, rows)
    assert [(p.x, p.value, p.low, p.high, p.series) for p in points] == [
        (1, 0.9, 0.8, 1.0, "ours"),
        (2, 0.6, 0.5, pytest.approx(0.7), "ours"),
    ]


def test_a_curve_whose_labels_name_two_rows_is_a_mistake() -> None:
    curve = ParameterCurve("size", points_along("scenario", {1: "single"}), {"ours": {}})
    with pytest.raises(ValueError, match="names 2 rows"):
        curve_points(curve, [row(), row(attack="classical")])


def test_a_metric_against_a_parameter_leaves_rows_without_that_number_out() -> None:
    rows = [row(), grouped(2, 0.8), grouped(5, 0.6), grouped(None, 0.1), grouped(True, 0.1)]
    assert [(p.x, p.value) for p in parameter_points(rows, "scenario.size", "auc")] == [(2, 0.8), (5, 0.6)]


@pytest.mark.parametrize(
    ("x", "metric", "said"),
    [
        ("scenario.sise", "auc", 'did you mean "size"'),
        ("scenaro.size", "auc", 'did you mean "scenario"'),
        ("scenario.size", "acu", 'did you mean "auc"'),
    ],
)
def test_what_is_not_there_is_told(x: str, metric: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        parameter_points([grouped(2, 0.8)], x, metric)


def test_two_values_at_one_place_are_refused() -> None:
    with pytest.raises(UserError, match="several values at 2; choose with --where"):
        parameter_points([grouped(2, 0.8), grouped(2, 0.7)], "scenario.size", "auc")


def test_the_frontier_has_a_point_a_defense_and_a_series_an_attack() -> None:
    rows = [row(0.9), row(0.6, defense="label-only"), row(0.5, attack="classical")]
    points = frontier_points(rows, "released-test-accuracy", "auc")
    assert [(p.label, p.utility, p.leak, p.series) for p in points] == [
        ("none", 0.8, 0.9, "sorted-diff"),
        ("label-only", 0.8, 0.6, "sorted-diff"),
        ("none", 0.8, 0.5, "classical"),
    ]


def test_lines_are_named_by_what_differs_and_titles_by_what_is_shared() -> None:
    rows = [row(), row(attack="classical")]
    assert [series(rows)(each) for each in rows] == ["sorted-diff", "classical"]
    assert title(rows, Roles({"defense": {"none": PluginRole("baseline")}})) == "adult, decision-tree, retrain, single"
    assert title(rows, Roles()) == "adult, decision-tree, retrain, single, none"


def test_where_narrows_to_labels_and_skipped_rows_are_left_out() -> None:
    rows = [row(), row(attack="classical"), row(status="skipped", attack="euclidean")]
    assert Where().choose(listing(*rows), rows) == rows[:2]
    assert Where.parse(["attack=classical"]).choose(listing(*rows), rows) == [rows[1]]


@pytest.mark.parametrize(
    ("status", "where", "said"),
    [
        ("missing", "attack=sorted-diff", "not run yet; run it"),
        ("failed", "attack=sorted-diff", "failed, why; leave it out with --where"),
        ("ok", "attack=sorted-dif", "did you mean"),
        ("skipped", "attack=sorted-diff", "nothing to plot: why"),
    ],
)
def test_rows_without_a_result_and_unknown_labels_are_refused(status: RowStatus, where: str, said: str) -> None:
    rows = [row(status=status)]
    with pytest.raises(UserError, match=said):
        Where.parse([where]).choose(listing(*rows), rows, "run it")
