from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlearnbench.report.plots.roc import Scored, roc, roc_plot
from unlearnbench.stats import auc


def test_corners_of_a_curve_known_by_hand() -> None:
    false, hits = roc(np.array([3.0, 2.0, 2.0, 1.0]), np.array([True, True, False, False]))
    assert false.tolist() == [0, 0, 0.5, 1]
    assert hits.tolist() == [0, 0.5, 1, 1]


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=60))
def test_the_area_under_the_curve_is_the_auc_ties_or_not(rows: list[tuple[int, bool]]) -> None:
    scores, positive = np.array([s for s, _ in rows], dtype=float), np.array([p for _, p in rows])
    if positive.all() or not positive.any():
        return
    false, hits = roc(scores, positive)
    assert np.trapezoid(hits, false) == pytest.approx(auc(scores, positive))


def test_a_plot_says_each_auc_and_has_the_same_bytes_twice(tmp_path: Path) -> None:
    runs = [Scored("perfect", np.arange(4.0), np.array([False, False, True, True]))]
    once, twice = (roc_plot(runs, tmp_path / folder / "roc", "adult") for folder in "ab")
    assert "perfect  1.000" in once.svg.read_text()
    assert once.svg.read_bytes() == twice.svg.read_bytes()
    assert once.png.read_bytes() == twice.png.read_bytes()
