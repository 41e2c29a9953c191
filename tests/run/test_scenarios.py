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
