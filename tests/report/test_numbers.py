from __future__ import annotations

from collections.abc import Callable

import pytest

from unlearnbench.core.estimates import Estimate
from unlearnbench.report.numbers import cell, number
from unlearnbench.run.results import Row

MakeRow = Callable[..., Row]


@pytest.mark.parametrize(
    ("estimate", "shown"),
    [
        (Estimate(0.8724, 0.8401, 0.8991, n=40), ".872 [.840, .899]"),
        (Estimate(0.5, n=40, status="no-interval", reason="too few"), ".500"),
        (Estimate(1.0, n=40, status="degenerate", reason="perfect"), "1.000"),
        (Estimate(-0.034, -0.1, 0.03, n=40), "-.034 [-.100, .030]"),
        (Estimate(12.5, 10.25, 14.0, n=3), "12.500 [10.250, 14.000]"),
        (Estimate.undefined("n/a (ties)"), "n/a"),
        (None, "n/a"),
    ],
)
def test_a_number_is_shown_with_its_interval_or_says_that_there_is_none(estimate: Estimate, shown: str) -> None:
    assert number(estimate) == shown


def test_digits_can_be_chosen() -> None:
    assert number(Estimate(0.8724, 0.8, 0.9, n=1), digits=2) == ".87 [.80, .90]"


@pytest.mark.parametrize("status", ["failed", "crashed", "skipped", "missing"])
def test_a_row_without_numbers_shows_its_status(row: MakeRow, status: str) -> None:
    assert cell(row(status=status), "auc") == status


def test_an_invalid_row_keeps_its_number_and_says_so(row: MakeRow) -> None:
    assert cell(row(status="invalid"), "auc") == ".720 [.670, .770] (invalid)"


def test_a_metric_that_a_row_lacks_is_not_a_blank(row: MakeRow) -> None:
    assert cell(row(), "auc-matched") == "n/a"
