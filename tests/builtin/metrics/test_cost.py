"""Cost is told over that of retraining, and not where nobody counted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from unlearnbench.builtin.metrics.cost import NO_MEMORY, NO_TIME, NOT_COUNTED, Cost
from unlearnbench.core.estimates import Estimate
from unlearnbench.core.metrics import ScoredCell
from unlearnbench.testing.samples import scored_cell

ORIGINALS, REQUESTS = 5, 3


def cell(**utility: Any) -> ScoredCell:
    made = scored_cell(ORIGINALS, REQUESTS, retrained=True)
    return replace(made, utility=replace(made.utility, **utility))


def of_originals(*values: float) -> np.ndarray:
    return np.repeat(values, REQUESTS)


def test_record_passes_are_the_mean_over_requests() -> None:
    passes = np.arange(ORIGINALS * REQUESTS) / 10
    measured = Cost().measure(cell(passes=passes))["record-passes"]
    assert measured.value == pytest.approx(passes.mean())
    assert (measured.scale, measured.status) == ("positive", "ok")


def test_one_request_that_is_not_counted_leaves_no_number() -> None:
    passes = np.ones(ORIGINALS * REQUESTS)
    passes[4] = np.nan
    measured = Cost().measure(cell(passes=passes))["record-passes"]
    assert (measured.value, measured.reason) == (None, NOT_COUNTED)


def test_the_first_original_pays_for_imports_and_does_not_count() -> None:
    made = cell(seconds_to_unlearn=of_originals(60.0, 0.2, 0.2, 0.2, 0.3))
    assert made.retrained is not None
    slow = replace(made.retrained.utility, seconds_to_unlearn=of_originals(9.0, 0.8, 0.8, 0.8, 0.8))
    measured = Cost().measure(replace(made, retrained=replace(made.retrained, utility=slow)))
    assert measured["seconds-over-retraining"].value == pytest.approx(0.25)


def test_retraining_takes_as_long_as_itself() -> None:
    made = cell()
    assert Cost().measure(replace(made, retrained=made))["seconds-over-retraining"].value == 1


def test_without_retraining_there_is_no_ratio() -> None:
    measured = Cost().measure(replace(cell(), retrained=None))
    assert (measured["seconds-over-retraining"].value, measured["seconds-over-retraining"].reason) == (None, NO_TIME)


def memory(own: np.ndarray, retrained: np.ndarray) -> dict[str, Estimate]:
    made = cell(memory_to_unlearn=own)
    assert made.retrained is not None
    other = replace(made.retrained, utility=replace(made.retrained.utility, memory_to_unlearn=retrained))
    return dict(Cost().measure(replace(made, retrained=other)))


def test_memory_is_the_median_over_originals_over_that_of_retraining() -> None:
    own, retrained = of_originals(168e6, 3e6, 2e6, 1.8e6, 1.5e6), of_originals(9e6, 1e6, 1e6, 1e6, 1e6)
    measured = memory(own, retrained)["memory-over-retraining"]
    assert (measured.value, measured.status, measured.scale) == (2.0, "no-interval", "positive")
    assert measured.details == {"megabytes": 2.0, "megabytes_of_retraining": 1.0}


def test_less_than_can_be_told_from_nothing_is_no_denominator() -> None:
    measured = memory(of_originals(*[9e6] * 5), of_originals(*[2.0**19 - 1] * 5))["memory-over-retraining"]
    assert (measured.value, measured.reason) == (None, NO_MEMORY)


@pytest.mark.parametrize("side", [0, 1])
def test_where_memory_was_not_measured_there_is_no_such_number(side: int) -> None:
    """As in what was stored before it was measured: other numbers stay as they are."""
    sides = [of_originals(*[1e6] * 5), of_originals(*[1e6] * 5)]
    assert "memory-over-retraining" in memory(*sides)
    sides[side] = np.full(ORIGINALS * REQUESTS, np.nan)
    assert memory(*sides).keys() == {"record-passes", "seconds-over-retraining"}
    assert "memory-over-retraining" not in Cost().measure(replace(cell(), retrained=None))
