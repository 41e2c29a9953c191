"""Claims: one number a seed, a t test over seeds, and three possible answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_1samp, ttest_rel

from unlearnbench.core.estimates import Estimate
from unlearnbench.hooks.records import Kind
from unlearnbench.reproduction.claims import Above, Claim, ClaimResult, Falls, Greater, Near, Rises, SeedRows, row
from unlearnbench.run.results import Row, RowStatus
from unlearnbench.suite.model import AXES, PluginRef

NAMES = {"unlearner": "retrain", "scenario": "single", "defense": "none", "dataset": "adult", "model": "tree"}


def rows(attack: str, values: Sequence[float | None], status: RowStatus = "ok") -> list[Row]:
    """Return a row for each seed, with this AUC."""
    names = {**NAMES, "attack": attack}
    axes: dict[str, PluginRef] = {axis: PluginRef(cast(Kind, axis), names[axis], {}) for axis in AXES}
    return [
        Row(axes, seed, status, metrics={"auc": Estimate(value) if value is not None else Estimate.undefined("ties")})
        for seed, value in enumerate(values)
    ]


def judged(claim: Claim, **values: Sequence[float]) -> ClaimResult:
    return claim.judge(SeedRows([row for attack, column in values.items() for row in rows(attack, column)]))


A, B, C = (row(attack=attack) for attack in "abc")


def test_above_is_a_one_sided_t_test_over_seeds() -> None:
    values = [0.61, 0.66, 0.59, 0.64]
    finding = judged(Above("", A, 0.6), a=values)
    assert finding.p == pytest.approx(ttest_1samp(values, 0.6, alternative="greater").pvalue)
    assert finding.amount.value == pytest.approx(np.mean(values) - 0.6)


def test_greater_compares_seed_by_seed() -> None:
    a, b = [0.7, 0.8, 0.9], [0.68, 0.79, 0.87]
    assert judged(Greater("", A, B), a=a, b=b).p == pytest.approx(ttest_rel(a, b, alternative="greater").pvalue)


def test_a_margin_makes_greater_harder_and_a_negative_one_easier() -> None:
    values = {"a": [0.70, 0.71, 0.72], "b": [0.69, 0.705, 0.71]}
    assert judged(Greater("", A, B, 0.05), **values).verdict == "does not hold"
    assert judged(Greater("", A, B, -0.05), **values).verdict == "holds"


@pytest.mark.parametrize(("kind", "verdict"), [(Falls, "holds"), (Rises, "does not hold")])
def test_falling_and_rising_go_by_the_slope_over_places(kind: type[Falls | Rises], verdict: str) -> None:
    finding = judged(kind("", (A, B, C)), a=[0.9, 0.92, 0.91], b=[0.7, 0.75, 0.8], c=[0.6, 0.61, 0.65])
    assert finding.verdict == verdict
    assert abs(finding.amount.value or 0) == pytest.approx((0.91 - 0.62) / 2)


def test_near_needs_both_sides() -> None:
    near = Near("", A, 0.5, 0.05)
    assert judged(near, a=[0.49, 0.51, 0.50]).verdict == "holds"
    assert judged(near, a=[0.60, 0.61, 0.62]).verdict == "does not hold"
    assert judged(near, a=[0.38, 0.39, 0.40]).verdict == "does not hold"
    assert judged(near, a=[0.40, 0.50, 0.60]).verdict == "cannot tell"


def test_near_another_row() -> None:
    assert judged(Near("", A, B, 0.02), a=[0.7, 0.8, 0.9], b=[0.705, 0.798, 0.901]).verdict == "holds"


def test_one_seed_tells_nothing_and_seeds_that_agree_leave_no_doubt() -> None:
    assert judged(Above("", A, 0.5), a=[0.9]).verdict == "cannot tell"
    assert judged(Above("", A, 0.5), a=[0.9, 0.9]).verdict == "holds"
    assert judged(Above("", A, 0.5), a=[0.5, 0.5]).verdict == "cannot tell"
    assert judged(Above("", A, 0.5), a=[0.1, 0.1]).verdict == "does not hold"


@given(st.lists(st.floats(0, 1), min_size=2, max_size=8), st.floats(0, 1))
def test_a_claim_and_its_opposite_never_both_hold(values: list[float], bound: float) -> None:
    claim = judged(Greater("", A, B), a=values, b=[bound] * len(values))
    opposite = judged(Greater("", B, A), a=values, b=[bound] * len(values))
    assert {claim.verdict, opposite.verdict} in ({"holds", "does not hold"}, {"cannot tell"})


def test_where_a_seed_has_no_number_nothing_can_be_told_and_the_reason_is_named() -> None:
    finding = Above("", A, 0.5).judge(SeedRows(rows("a", [0.9, None, 0.9])))
    assert (finding.verdict, finding.p) == ("cannot tell", None)
    assert finding.amount.reason == "a, seed 1: ties"


def test_an_invalid_row_proves_nothing() -> None:
    assert Above("", A, 0.5).judge(SeedRows(rows("a", [0.9, 0.9], "invalid"))).verdict == "cannot tell"


@pytest.mark.parametrize("attack", ["nobody", "a"])
def test_a_claim_that_names_no_row_or_two_is_our_mistake(attack: str) -> None:
    results = SeedRows([*rows("a", [0.5, 0.6]), *rows("a", [0.5, 0.6])])
    with pytest.raises(ValueError, match="not one a seed"):
        results.values(row(attack=attack))
