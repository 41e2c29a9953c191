"""A number and its status never contradict each other."""

from __future__ import annotations

import pytest

from unlearnbench.core.estimates import Estimate


def test_an_undefined_estimate_has_a_reason_and_no_value() -> None:
    estimate = Estimate.undefined("no negative rows", n=4)
    assert (estimate.value, estimate.low, estimate.high) == (None, None, None)
    assert (estimate.status, estimate.reason, estimate.n) == ("undefined", "no negative rows", 4)


def test_a_good_value_needs_no_reason() -> None:
    assert Estimate(0.7, 0.6, 0.8, n=10).status == "ok"


@pytest.mark.parametrize(("value", "status"), [(None, "ok"), (None, "no-interval"), (0.5, "undefined")])
def test_a_value_is_missing_exactly_where_it_is_undefined(value: float | None, status: str) -> None:
    with pytest.raises(ValueError, match="does not go with status"):
        Estimate(value, status=status, reason="some")  # type: ignore[arg-type] # str for the parametrize table


@pytest.mark.parametrize("status", ["no-interval", "degenerate"])
def test_whatever_is_not_ok_tells_why(status: str) -> None:
    with pytest.raises(ValueError, match="needs a reason"):
        Estimate(0.5, status=status)  # type: ignore[arg-type] # str for the parametrize table
    with pytest.raises(ValueError, match="needs a reason"):
        Estimate.undefined("")
