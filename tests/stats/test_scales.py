from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit

from unlearnbench.core.estimates import Scale
from unlearnbench.stats.scales import backward, ends, forward, slope

RANGES: dict[Scale, tuple[float, float]] = {
    "real": (-math.inf, math.inf),
    "positive": (0, math.inf),
    "share": (0, 1),
    "gain": (-1, 1),
}
INSIDE: list[tuple[Scale, float]] = [("real", -3.2), ("positive", 0.04), ("share", 0.98), ("gain", -0.7)]


@given(st.floats(-30, 30))
def test_shares_are_on_the_logit_scale_and_gains_on_that_of_fisher(x: float) -> None:
    assert backward(x, "share") == pytest.approx(expit(x))
    assert backward(x, "gain") == pytest.approx(math.tanh(x))
    assert forward(expit(x), "share") == pytest.approx(logit(expit(x)), abs=1e-9)


@pytest.mark.parametrize(("scale", "value"), INSIDE)
def test_the_way_forward_and_back_ends_where_it_began_and_its_slope_is_the_derivative(
    scale: Scale, value: float
) -> None:
    assert backward(forward(value, scale), scale) == pytest.approx(value)
    step = 1e-6 * abs(value)
    rise = forward(value + step, scale) - forward(value - step, scale)
    assert slope(value, scale) == pytest.approx(rise / (2 * step), rel=1e-5)


@pytest.mark.parametrize(("scale", "value"), INSIDE)
@pytest.mark.parametrize("half", [1e-9, 0.1, 10, 1e6])
def test_no_interval_leaves_the_range_and_a_narrow_one_is_symmetric(scale: Scale, value: float, half: float) -> None:
    low, high = ends(value, half, scale)
    assert RANGES[scale][0] <= low <= value <= high <= RANGES[scale][1]
    if half == 1e-9:
        assert (value - low, high - value) == pytest.approx((half, half), rel=1e-5)


@pytest.mark.parametrize(("scale", "value"), [("share", 0.0), ("share", 1.0), ("gain", -1.0), ("positive", 0.0)])
def test_at_an_end_of_the_range_there_is_no_room(scale: Scale, value: float) -> None:
    assert ends(value, 0.1, scale) == (value, value)
    assert backward(forward(value, scale), scale) == value
