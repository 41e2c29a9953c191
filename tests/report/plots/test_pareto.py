"""The front holds those that nobody beats, and the figure names every unlearner."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlearnbench.core.errors import UserError
from unlearnbench.report.plots.pareto import ParetoPoint, front, pareto_plot


def point(label: str, gap: float, leak: float, cost: float | None = 0.1, entry: bool = True) -> ParetoPoint:
    return ParetoPoint(label, gap, leak, None, None, cost=cost, entry=entry)


POINTS = [
    point("retrain", 0.0, 0.8, 1.0, entry=False),
    point("none", 0.0, 0.5, 0.0, entry=False),
    point("faithful", 0.0, 0.8),
    point("finetune", 0.01, 0.6),
    point("wasteful", 0.02, 0.6, 0.5),
    point("noisy", 0.03, 0.5),
    point("inverted", 0.02, 0.3),
    point("own loop", 0.2, 0.7, None),
]


def test_the_front_holds_the_entries_that_no_other_beats() -> None:
    assert [p.label for p in front(POINTS)] == ["faithful", "finetune", "noisy"]


def test_a_leak_below_chance_is_a_leak() -> None:
    assert [p.label for p in front([point("below", 0.1, 0.2), point("above", 0.1, 0.7)])] == ["above"]


def test_equal_points_are_both_on_the_front() -> None:
    assert len(front([point("one", 0.1, 0.6), point("other", 0.1, 0.6)])) == 2


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=12))
def test_every_point_off_the_front_is_beaten_by_one_on_it(numbers: list[tuple[float, float]]) -> None:
    points = [point(str(i), *pair) for i, pair in enumerate(numbers)]
    best = front(points)
    assert best
    for p in points:
        as_good = [q for q in best if q.utility <= p.utility and abs(q.leak - 0.5) <= abs(p.leak - 0.5)]
        assert as_good


def test_the_figure_names_every_unlearner_and_its_axes(tmp_path: Path) -> None:
    files = pareto_plot(POINTS, tmp_path / "front", "gap", "leak", "digits")
    text = files.svg.read_text()
    for word in (*(p.label for p in POINTS), "gap", "leak", "digits", "record passes, over retraining"):
        assert f">{word}<" in text
    assert files.png.stat().st_size > 1000
    again = pareto_plot(POINTS, tmp_path / "again", "gap", "leak", "digits")
    assert again.svg.read_bytes() == files.svg.read_bytes()


def test_controls_alone_have_no_front(tmp_path: Path) -> None:
    assert front(POINTS[:2]) == []
    assert pareto_plot(POINTS[:2], tmp_path / "front", "gap", "leak").svg.exists()


def test_without_counted_costs_there_is_no_scale_of_costs(tmp_path: Path) -> None:
    files = pareto_plot([point("own loop", 0.2, 0.7, None)], tmp_path / "front", "gap", "leak")
    assert "record passes" not in files.svg.read_text()


def test_no_points_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nothing to plot"):
        pareto_plot([], tmp_path / "front", "gap", "leak")
