"""Cost is told over that of retraining, and not where nobody counted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from unlearnbench.builtin.metrics.cost import NO_TIME, NOT_COUNTED, Cost
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
