"""Sizes and times that a user allows."""

from __future__ import annotations

import math

import pytest

from unlearnbench.core.errors import UserError
from unlearnbench.core.limits import Limits, bytes_of


@pytest.mark.parametrize(
    ("text", "size"),
    [("4GB", 4_000_000_000), ("500 mb", 500_000_000), ("1.5GiB", 1_610_612_736), ("2TB", 2 * 10**12), ("1MiB", 2**20)],
)
def test_a_size_is_a_number_and_a_unit(text: str, size: int) -> None:
    assert bytes_of(text) == size


@pytest.mark.parametrize("text", ["lots", "", "4", "GB", "-4GB", "0GB", "4 giga", "4GB!", "1e3MB", "1.GB", "4 G B"])
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UserError, match=r"is not a size; write a number and MB, .*, for example 4GB"):
        bytes_of(text)


@pytest.mark.parametrize("seconds", [0.0, -1.0, math.inf, math.nan])
def test_a_time_limit_is_a_number_above_zero(seconds: float) -> None:
    with pytest.raises(UserError, match="timeout: must be a number of seconds above 0"):
        Limits(seconds)


def test_limits_are_true_if_there_is_one() -> None:
    assert not Limits()
    assert Limits(timeout=1.0)
    assert Limits(memory=1)
