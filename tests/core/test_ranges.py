"""What a range and a list give, and what is none."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlearnbench.core.ranges import Choice, Range

SHARES = st.floats(0, 1, exclude_max=True)


@given(low=st.integers(-50, 50), extent=st.integers(1, 50), share=SHARES)
def test_a_range_of_integers_gives_integers_within_it(low: int, extent: int, share: float) -> None:
    value = Range(low, low + extent).at(share)
    assert isinstance(value, int)
    assert low <= value <= low + extent


@given(low=st.integers(1, 50), extent=st.integers(1, 500), share=SHARES)
def test_so_it_does_on_a_logarithmic_scale(low: int, extent: int, share: float) -> None:
    value = Range(low, low + extent, log=True).at(share)
    assert isinstance(value, int)
    assert low <= value <= low + extent


@given(low=st.floats(1e-6, 1e3), extent=st.floats(1e-3, 1e3), share=SHARES, log=st.booleans())
def test_a_range_of_numbers_gives_numbers_within_it(low: float, extent: float, share: float, log: bool) -> None:
    value = Range(low, low + extent, log).at(share)
    assert isinstance(value, float)
    assert low * (1 - 1e-12) <= value <= (low + extent) * (1 + 1e-12)


def test_the_middle_of_a_range_is_that_of_its_scale() -> None:
    assert Range(0.0, 2.0).at(0.5) == 1.0
    assert math.isclose(float(str(Range(1e-4, 1.0, log=True).at(0.5))), 1e-2)
    assert [Range(1, 4).at(share) for share in (0.0, 0.25, 0.5, 0.99)] == [1, 2, 3, 4]
    assert [Choice(("a", "b")).at(share) for share in (0.0, 0.49, 0.5, 0.99)] == ["a", "a", "b", "b"]


@pytest.mark.parametrize(
    ("low", "high", "log", "said"),
    [
        (2, 1, False, "low must be below high, both finite, got 2 and 1"),
        (1, 1, False, "low must be below high"),
        (0.0, math.inf, False, "both finite, got 0.0 and inf"),
        (math.nan, 1.0, False, "both finite"),
        (0, 1, True, "low must be above 0 on a logarithmic scale, got 0"),
    ],
)
def test_what_is_no_range_is_refused(low: float, high: float, log: bool, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Range(low, high, log)


def test_an_empty_list_is_refused() -> None:
    with pytest.raises(ValueError, match="must list at least one value"):
        Choice(())


def test_they_say_what_they_are() -> None:
    assert str(Range(1e-3, 1.0, log=True)) == "0.001 to 1 on a logarithmic scale"
    assert str(Choice(("static", "mixed"))) == "static or mixed"
