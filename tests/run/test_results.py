from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from unlearnbench.core.estimates import Estimate
from unlearnbench.core.executors import Failure
from unlearnbench.run.results import (
    SAMPLE_LEVEL,
    Row,
    RowStatus,
    collect,
    collect_states,
    mark_cheating,
    mark_invalid,
    mean_over_seeds,
)
from unlearnbench.run.store import Store
from unlearnbench.run.validity import ValidityTests
from unlearnbench.stats import t_interval
from unlearnbench.suite.model import AXES, PluginRef

if TYPE_CHECKING:
    from tests.run.conftest import Lab, Ran


TESTS = ("blind",)
"""The attacks that test the sample."""


def row(
    attack: str = "sorted-diff",
    seed: int | None = 0,
    value: float | None = 0.7,
    p: float | None = None,
    status: RowStatus = "ok",
    dataset: str = "adult",
    scenario: str = "single",
) -> Row:
    """One made-up row; ``p`` is the one-sided p-value of its AUC."""
    names = dict.fromkeys(AXES, "x") | {"attack": attack, "dataset": dataset, "scenario": scenario}
    details = {} if p is None else {"p_above_half": p}
    auc = Estimate(value, 0.6, 0.8, n=40, details=details) if value is not None else Estimate.undefined("n/a (ties)")
    metrics: Mapping[str, Estimate] = {"auc": auc} if status == "ok" else {}
    axes: dict[str, PluginRef] = {axis: PluginRef(axis, name) for axis, name in names.items()}
    return Row(axes, seed, status, "" if status == "ok" else "it broke", metrics)


def test_the_mean_over_seeds_is_a_t_interval_over_their_values() -> None:
    values = [0.61, 0.7, 0.66, 0.72]
    (mean,) = mean_over_seeds([row(seed=s, value=v) for s, v in enumerate(values)])
    assert (mean.seed, mean.status) == (None, "ok")
    assert mean.metrics["auc"] == t_interval(values)
    half = 3.182446305284263 * np.std(values, ddof=1) / 2  # Student's t with 3 degrees of freedom
    assert mean.metrics["auc"].value == pytest.approx(np.mean(values))
    assert mean.metrics["auc"].low == pytest.approx(np.mean(values) - half)
    assert mean.metrics["auc"].n == 4, "seeds, never rows"


def test_there_is_one_mean_a_cell() -> None:
    rows = [row(attack=a, seed=s) for s in range(2) for a in ("random", "blind")]
    assert [mean.names["attack"] for mean in mean_over_seeds(rows)] == ["random", "blind"]


def test_a_seed_that_failed_is_named_in_the_mean() -> None:
    (mean,) = mean_over_seeds([row(seed=0), row(seed=3, status="failed"), row(seed=5)])
    assert (mean.status, mean.reason, mean.metrics) == ("failed", "seed 3: it broke", {})


def test_what_is_skipped_is_skipped_on_every_seed() -> None:
    (mean,) = mean_over_seeds([row(seed=s, status="skipped") for s in range(2)])
    assert (mean.status, mean.reason) == ("skipped", "it broke")


def test_a_mean_is_not_defined_where_one_seed_is_not() -> None:
    (mean,) = mean_over_seeds([row(seed=0), row(seed=1, value=None)])
    assert mean.metrics["auc"] == Estimate.undefined("not defined for every seed: n/a (ties)", n=2)


def test_a_metric_that_one_seed_lacks_has_no_mean() -> None:
    lacking = Row(row().axes, 1, metrics={})
    (mean,) = mean_over_seeds([row(seed=0), lacking])
    assert mean.metrics["auc"].status == "undefined"
    assert "not measured" in mean.metrics["auc"].reason


def test_a_blind_attack_far_above_chance_invalidates_its_whole_sample() -> None:
    rows = [row("blind", p=1e-6), row("sorted-diff"), row("sorted-diff", status="failed"), row("random", p=1e-9)]
    other = [row("blind", seed=1, p=0.4), row("sorted-diff", seed=1), row("sorted-diff", dataset="digits")]
    marked = mark_invalid([*rows, *other], TESTS)
    assert [r.status for r in marked] == ["invalid", "invalid", "failed", "invalid", "ok", "ok", "ok"]
    assert marked[0].reason == "blind tells deleted from unseen without any model, p 2.0e-06"
    assert marked[1].metrics == rows[1].metrics, "the numbers stay"


@pytest.mark.parametrize(("p", "samples", "status"), [(0.0009, 1, "invalid"), (0.0009, 2, "ok"), (0.0011, 1, "ok")])
def test_blind_tests_are_adjusted_for_their_number(p: float, samples: int, status: str) -> None:
    assert SAMPLE_LEVEL == 0.001
    rows = [row("blind", p=p), *(row("blind", p=0.5, seed=s) for s in range(1, samples))]
    assert mark_invalid(rows, TESTS)[0].status == status


def test_models_of_one_sample_are_one_test() -> None:
    twice = [row("blind", p=0.0009), row("blind", p=0.0009)]
    assert {r.status for r in mark_invalid(twice, TESTS)} == {"invalid"}


def test_all_tests_of_a_sample_are_adjusted_together_and_each_of_them_can_invalidate_it() -> None:
    rows = [row("blind", p=0.4), row("mine", p=1e-6), row("sorted-diff"), row("blind", seed=1, p=0.5)]
    marked = mark_invalid(rows, ("blind", "mine"))
    assert [r.status for r in marked] == ["invalid", "invalid", "invalid", "ok"]
    assert marked[2].reason == "mine tells deleted from unseen without any model, p 3.0e-06"


NOTHING = ValidityTests(
    sample=frozenset(TESTS),
    tested=frozenset({"mine", "sorted-diff"}),
    references=frozenset({"blind", "classical"}),
    deleting_nothing=frozenset({"none", "noise-floor"}),
)


def retained_row(attack: str, unlearner: str, p: float, **more: Any) -> Row:
    """One made-up row with the p-value of telling forgotten from retained records."""
    made = row(attack, **more)
    estimate = Estimate(0.7, n=40, details={"p_above_retained": p})
    axes = {**made.axes, "unlearner": PluginRef("unlearner", unlearner)}
    return replace(made, axes=axes, metrics={**made.metrics, "auc-retained": estimate})


def test_an_attack_that_tells_forgotten_from_retained_where_nothing_is_deleted_is_invalid_throughout() -> None:
    rows = [
        retained_row("mine", "none", 0.5),
        retained_row("mine", "noise-floor", 1e-7),
        retained_row("mine", "retrain", 1e-9),
        retained_row("sorted-diff", "none", 0.2),
        retained_row("sorted-diff", "retrain", 1e-9),
        retained_row("mine", "none", 0.4, seed=1),
        retained_row("mine", "retrain", 1e-9, seed=1),
    ]
    marked = mark_cheating(rows, NOTHING)
    assert [r.status for r in marked] == ["invalid"] * 3 + ["ok"] * 4
    assert marked[2].reason == "tells forgotten from retained records where noise-floor deletes nothing, p 4.0e-07"
    assert marked[2].metrics == rows[2].metrics, "the numbers stay"


def test_only_unlearners_that_delete_nothing_decide_and_only_about_attacks_that_query_the_unlearned_model() -> None:
    rows = [
        retained_row("mine", "retrain", 1e-9),
        retained_row("classical", "none", 0.5),
        retained_row("random", "none", 1e-9),
    ]
    assert mark_cheating(rows, NOTHING) == rows
    assert mark_cheating([], NOTHING) == []


def test_where_a_baseline_tells_them_apart_too_the_scenario_chose_them_so() -> None:
    rows = [
        retained_row("mine", "none", 1e-9),
        retained_row("classical", "none", 1e-9),
        retained_row("mine", "none", 1e-9, seed=1),
    ]
    assert [r.status for r in mark_cheating(rows, NOTHING)] == ["ok", "ok", "invalid"]


def test_without_a_blind_result_nothing_is_invalid() -> None:
    rows = [row("sorted-diff", p=1e-9), row("blind", status="failed")]
    assert mark_invalid(rows, TESTS) == rows
    assert mark_invalid([], TESTS) == []


def test_a_row_as_json_has_a_name_and_parameters_on_each_axis_and_every_metric_whole(tiny: Ran) -> None:
    for found in tiny.rows:
        data = json.loads(json.dumps(found.to_dict(), allow_nan=False))
        assert data.keys() == {*AXES, "labels", "seed", "status", "reason", "metrics", "outcomes"}
        assert data["outcomes"].keys() == {"requests", "collapsed", "unmoved"}
        assert all(data[axis].keys() == {"name", "params"} for axis in AXES)
        assert data["seed"] == 0
        for estimate in data["metrics"].values():
            assert estimate.keys() == {"value", "low", "high", "n", "status", "reason", "scale", "details"}
            assert (estimate["value"] is None) == (estimate["status"] == "undefined")
            assert (estimate["status"] == "ok") == (estimate["reason"] == "")
        assert Row.from_dict(data).to_dict() == data


def test_every_row_of_a_run_has_numbers_and_stands_in_the_order_of_the_suite(tiny: Ran) -> None:
    rows = tiny.rows
    assert all(r.status == "ok" and r.metrics for r in rows)
    axes = tiny.plan.full.axes
    order = [(r.names["unlearner"], r.names["attack"]) for r in rows]
    expected = [(u.label, a.label) for u in axes["unlearner"] for a in axes["attack"]]
    assert order == expected
    assert {"auc", "auc-matched", "auc-retained", "deg-count", "seconds-to-train"} <= rows[0].metrics.keys()


def test_what_has_not_run_says_so(lab: Lab) -> None:
    plan = lab.plan(("unlearner=retrain",), seeds=[0, 1])
    rows = collect(plan, Store(lab.folder / "store"))
    assert {(r.status, r.reason) for r in rows} == {("missing", "not run yet"), ("missing", "seed 0: not run yet")}


def test_a_recorded_failure_is_a_row_with_its_status(lab: Lab) -> None:
    plan, store = lab.plan(("unlearner=retrain",)), Store(lab.folder / "store")
    for key, status in zip(plan.cells, ("failed", "crashed"), strict=False):
        store.fail("cell", key, Failure(status, f"it {status}"))  # type: ignore[arg-type]  # one of the two
    told = {(r.status, r.reason) for r in collect(plan, store)}
    assert told == {
        ("failed", "it failed"),
        ("crashed", "it crashed"),
        ("missing", "not run yet"),
    }


def test_skipped_cells_are_rows_with_their_reason(lab: Lab) -> None:
    rule = {"attack": "sorted-diff", "because": "elsewhere"}
    plan = lab.plan(("unlearner=retrain",), attacks=["sorted-diff", "euclidean"], exclude=[rule])
    skipped = [r for r in collect(plan, Store(lab.folder / "store")) if r.status == "skipped"]
    assert [(r.names["attack"], r.reason) for r in skipped] == [("sorted-diff", "elsewhere")]


def test_seeds_come_with_their_mean_and_one_chosen_seed_alone(lab: Lab) -> None:
    ran = lab.run(only=("unlearner=retrain", "attack=sorted-diff"), seeds=[0, 1])
    assert [(r.names["attack"], r.seed) for r in ran.rows] == [
        ("sorted-diff", 0),
        ("sorted-diff", 1),
        ("blind", 0),
        ("blind", 1),
        ("sorted-diff", None),
        ("blind", None),
    ]
    values = [ran.row(attack="sorted-diff", seed=s).metrics["auc"].value for s in (0, 1)]
    assert ran.row(attack="sorted-diff", seed=None).metrics["auc"] == t_interval(
        [v for v in values if v is not None], "share"
    )
    one = lab.plan(("unlearner=retrain", "attack=sorted-diff", "seed=1"), seeds=[0, 1])
    assert [r.seed for r in collect(one, ran.store)] == [1, 1], "one seed is no mean"


SCENARIOS = """
import numpy as np
from unlearnbench import DatasetPlugin, Dataset, Provenance, Records, Request, Scenario, ScenarioPlugin, Step, hookimpl

class Noise(Dataset):
    def load(self):
        rng = np.random.default_rng(0)
        y = (np.arange(1200) % 2).astype(np.int64)
        return Records("noise", rng.normal(size=(1200, 4)), y, 2, Provenance("made here", "CC0"))

class Picky(Scenario):
    def __init__(self, honest: bool = False) -> None:
        self.honest = honest

    def deletions_needed(self, sizes):
        return sizes.requests

    def requests(self, pools, sizes, seeds, original):
        x = original.data.records.x[pools.deletable, 0]
        order = pools.deletable if self.honest else pools.deletable[np.argsort(-x)]
        return [Request((Step(order[r : r + 1]),)) for r in range(sizes.requests)]

@hookimpl
def unlearnbench_datasets():
    yield DatasetPlugin(name="noise", summary="Noise.", factory=Noise)

@hookimpl
def unlearnbench_scenarios():
    yield ScenarioPlugin(name="picky", summary="Deletes records with a large first feature.", factory=Picky)
"""


def test_a_scenario_that_picks_who_is_deleted_is_found_out_and_an_honest_one_is_not(lab: Lab) -> None:
    honest = {"name": "picky", "params": {"honest": True}}
    ran = lab.run(
        only=("unlearner=none", "attack=classical"),
        datasets=["noise"],
        scenarios=["picky", honest],
        plugins=[lab.plugin(SCENARIOS)],
        episodes={"originals": 6, "requests": 10, "records": 120, "negatives": 20, "matched": 0, "retained": 2},
    )
    picky = [r for r in ran.rows if r.names["scenario"] == "picky"]
    assert {r.status for r in picky} == {"invalid"}
    assert all(r.reason.startswith("blind tells deleted from unseen without any model, p ") for r in picky)
    assert all(r.metrics["auc"].value is not None for r in picky)
    assert {r.status for r in ran.rows if r.names["scenario"] != "picky"} == {"ok"}
    states = [(r.names, r.status, r.reason) for r in collect_states(ran.plan, ran.store)]
    assert states == [(r.names, r.status, r.reason) for r in ran.rows], (
        "with the tests alone, without the other metrics"
    )
    alone = lab.plan(
        ("attack=classical", "unlearner=none", "scenario=picky"),
        datasets=["noise"],
        scenarios=["picky", honest],
        plugins=["mine.py"],
        episodes={"originals": 6, "requests": 10, "records": 120, "negatives": 20, "matched": 0, "retained": 2},
    )
    told = {r.names["scenario"]: r.status for r in collect(alone, ran.store) if r.names["attack"] == "classical"}
    assert told == {"picky": "invalid", "picky(honest=true)": "ok"}, "choosing an attack hides nothing"
