from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from unlearnbench.report.publication import Publication
from unlearnbench.report.roles import Roles
from unlearnbench.report.site.figures import Scale, around, auc_scale, scatter_figures
from unlearnbench.report.tracks import TRACKS, tables
from unlearnbench.run.results import Row

finite = st.floats(-2, 2)


@given(st.lists(finite, min_size=1))
def test_all_numbers_lie_within_their_scale_and_keep_their_order(numbers: list[float]) -> None:
    scale = around(numbers, 0, 300)
    places = [scale.at(number) for number in sorted(numbers)]
    assert places == sorted(places)
    assert all(0 < place < 300 for place in places)


@given(st.lists(finite, min_size=1))
def test_a_scale_has_a_few_round_ticks(numbers: list[float]) -> None:
    scale = around(numbers, 0, 300)
    ticks = scale.ticks()
    assert 2 <= len(ticks) <= 6
    assert all(scale.low - 1e-6 <= tick <= scale.high + 1e-6 for tick in ticks)


def test_intervals_are_drawn_from_below_half_and_never_beyond_the_rail() -> None:
    assert auc_scale([0.5, 0.9], 0, 1).low == 0.4
    assert auc_scale([0.27, 0.9], 0, 1).low == 0.2
    assert auc_scale([], 0, 1).low == 0.4
    assert Scale(0.4, 1, 4, 116).at(1.2) == 116


def test_each_model_has_a_panel_and_each_entry_a_look_of_its_own(publication: Publication) -> None:
    axes, frontier, defenses = scatter_figures(tables(publication.rows, publication.roles, TRACKS))
    assert [panel.title for panel in axes.panels] == ["decision-tree", "mlp"]
    assert [len(figure.legend) for figure in (axes, frontier, defenses)] == [4, 4, 3]
    assert len({entry.look for entry in axes.legend}) == 4
    assert all(len(panel.marks) == 4 for panel in axes.panels)
    assert axes.panels[0].y_chance is not None
    assert frontier.panels[0].y_chance is None  # half is not chance for an accuracy


def test_less_leak_lies_further_left_and_more_accuracy_higher(publication: Publication) -> None:
    frontier = scatter_figures(tables(publication.rows, publication.roles, TRACKS))[1]
    retrain, none, sisa, fast = frontier.panels[0].marks
    assert none.x < fast.x < sisa.x < retrain.x
    assert none.y < fast.y < sisa.y < retrain.y  # pixels go down: none is made the most accurate


def test_without_numbers_there_are_no_figures(row: Callable[..., Row], roles: Roles) -> None:
    assert scatter_figures(tables([row(status="failed")], roles, TRACKS)) == []
    assert scatter_figures([]) == []
