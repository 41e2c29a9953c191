"""Every scenario runs from a suite to a table, and its attacks are judged on its own positives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from unlearnbench.core.scenarios import Role

if TYPE_CHECKING:
    from tests.run.conftest import Lab

CASES = [
    ("online", {"delete": 2, "add": 3}, Role.FORGOTTEN, 6),
    ("sequence", {"versions": 2}, Role.FORGOTTEN, 6),
    ("sequence", {"versions": 2, "sees": "last"}, Role.FORGOTTEN, 6),
    ("retained", {"size": 2}, Role.RETAINED, 6),
    ("class", {"size": 2}, Role.FORGOTTEN, 6),
    ("column-group", {"column": 19, "size": 2}, Role.FORGOTTEN, 6),
    ("outlier", {"share": 0.2}, Role.FORGOTTEN, 3),
    ("memorised", {"share": 0.2}, Role.FORGOTTEN, 3),
    ("least-confident", {"share": 0.2}, Role.FORGOTTEN, 3),
    ("neighbours", {"size": 2, "k": 20}, Role.FORGOTTEN, 6),
]


@pytest.mark.parametrize(("name", "params", "positive", "positives"), CASES)
@pytest.mark.parametrize("unlearner", ["retrain", "sisa"])
def test_a_scenario_runs_end_to_end(
    lab: Lab, name: str, params: dict[str, object], positive: Role, positives: int, unlearner: str
) -> None:
    ran = lab.run(
        only=(f"unlearner={unlearner}",),
        datasets=["digits"],
        unlearners=["retrain", "sisa"],
        scenarios=[{"name": name, "params": params}],
        attacks=["sorted-diff", "delta", "ensemble", "classical"],
    )
    assert ran.outcome.failed == 0
    for attack in ("sorted-diff", "delta", "ensemble", "classical"):
        assert ran.row(attack=attack).metrics["auc"].value is not None
    assert ran.row(attack="oracle-label").metrics["auc"].value == 1.0
    for key in ran.plan.episodes:
        entry = ran.store.get("episode", key)
        assert entry is not None
        assert (entry.arrays["row-role"] == positive).sum() == positives


def test_requests_of_several_strata_are_not_released_together(lab: Lab) -> None:
    ran = lab.run(
        datasets=["digits"],
        scenarios=[{"name": "class", "params": {"size": 1}}, {"name": "outlier", "params": {"share": 0.2}}],
        defenses=[{"name": "batched-release", "params": {"size": 2}}],
    )
    by_class, outliers = (
        ran.row(scenario=name, defense="batched-release(size=2)", attack="sorted-diff")
        for name in ("class(size=1)", "outlier(share=0.2)")
    )
    assert by_class.status == "failed"
    assert "must serve together requests of one stratum" in by_class.reason
    assert outliers.status == "ok"


def test_a_kind_without_negatives_costs_its_own_cells_only_and_says_so(lab: Lab) -> None:
    ran = lab.run(scenarios=[{"name": "class", "params": {"size": None}}, "single"], episodes=WHOLE)
    failed, fine = (ran.row(scenario=name, attack="sorted-diff") for name in ("class(size=null)", "single"))
    assert fine.status == "ok"
    assert failed.status == "failed"
    assert "of 3 requests can be made" in failed.reason


WHOLE = {"originals": 2, "requests": 3, "records": 40, "negatives": 40, "matched": 2, "retained": 4}
