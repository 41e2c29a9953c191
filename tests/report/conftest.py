"""Rows made by hand, so that these tests know every number."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from unlearnbench.core.estimates import Estimate
from unlearnbench.run.results import Row, RowStatus
from unlearnbench.suite.model import AXES, PluginRef

MakeRow = Callable[..., Row]


def make_row(
    seed: int | None = 0,
    status: RowStatus = "ok",
    reason: str = "",
    metrics: dict[str, Estimate] | None = None,
    auc: float = 0.72,
    **labels: str,
) -> Row:
    """A row; ``labels`` are those of axes, of which the part before a parenthesis is the name."""
    known = dict.fromkeys(AXES, "none") | {"dataset": "adult", "scenario": "single", "attack": "sorted-diff"}
    known |= {"model": "decision-tree", "unlearner": "retrain"} | labels  # type: ignore[operator]  # plain words
    axes = {axis: PluginRef(axis, label.partition("(")[0], {}, label) for axis, label in known.items()}
    numbers = {"auc": Estimate(auc, auc - 0.05, auc + 0.05, n=40)} if metrics is None else metrics
    has_numbers = status in ("ok", "invalid")
    return Row(axes, seed, status, reason or ("" if status == "ok" else "it broke"), numbers if has_numbers else {})


@pytest.fixture(scope="session")
def row() -> MakeRow:
    return make_row
