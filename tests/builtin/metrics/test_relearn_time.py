from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from unlearnbench.builtin.metrics.relearn_time import NOT_MEASURED, RelearnTime
from unlearnbench.builtin.metrics.retraining_gap import NO_RETRAINING
from unlearnbench.core.metrics import ScoredCell
from unlearnbench.testing.samples import scored_cell

TIMES = np.array([0.0, 3.0, 20.0, 7.0] * 3)


def cell(times: np.ndarray = TIMES, retrained: np.ndarray = TIMES + 1) -> ScoredCell:
    made = scored_cell(3, 4)
    other = replace(made, utility=replace(made.utility, relearned=retrained), retrained=None)
    return replace(made, utility=replace(made.utility, relearned=times), retrained=other)


def test_it_is_the_mean_over_requests_beside_that_of_retraining() -> None:
    measured = RelearnTime().measure(cell())
    assert measured["relearn-time"].value == pytest.approx(30 / 4)
    assert measured["relearn-time-retrained"].value == pytest.approx((1 + 4 + 20 + 8) / 4)
    assert measured["relearned"].value == pytest.approx(3 / 4)


def test_those_that_do_not_come_back_count_with_the_most() -> None:
    """Also where another metric of the suite lets them train for longer."""
    measured = RelearnTime(most=5).measure(cell())
    assert measured["relearn-time"].value == pytest.approx((0 + 3 + 5 + 5) / 4)
    assert measured["relearned"].value == pytest.approx(1 / 2)
    assert RelearnTime(most=5).relearns == 5


def test_where_one_was_not_tried_there_is_no_number() -> None:
    times = TIMES.copy()
    times[2] = np.nan
    measured = RelearnTime().measure(cell(times))
    assert [measured[name].reason for name in ("relearn-time", "relearned")] == [NOT_MEASURED] * 2
    assert measured["relearn-time-retrained"].value is not None
    assert RelearnTime().measure(cell(retrained=times))["relearn-time-retrained"].reason == NOT_MEASURED


def test_without_retraining_only_its_own_time_is_known() -> None:
    measured = RelearnTime().measure(replace(cell(), retrained=None))
    assert measured["relearn-time-retrained"].reason == NO_RETRAINING
    assert measured["relearn-time"].value is not None
