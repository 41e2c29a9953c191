"""Estimates whose value and interval are there."""

from __future__ import annotations

from unlearnbench.core.estimates import Estimate


def numbers(estimate: Estimate) -> tuple[float, float, float]:
    """Return the lower end, the value and the upper end of an estimate that has all three."""
    low, value, high = estimate.low, estimate.value, estimate.high
    assert low is not None
    assert value is not None
    assert high is not None
    return low, value, high
