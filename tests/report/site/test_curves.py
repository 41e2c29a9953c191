from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace

import pytest

from unlearnbench.report.leaderboard import build_page
from unlearnbench.report.publication import BoardEntry, Publication, RocCurve
from unlearnbench.report.roles import Roles
from unlearnbench.report.site.curves import board_groups, roc_figure
from unlearnbench.report.tracks import tables
from unlearnbench.report.tracks.attack import ATTACK
from unlearnbench.run.results import Row
from unlearnbench.suite.model import AXES

LABELS: dict[str, str] = dict(zip(AXES, ("adult", "mlp", "retrain", "single", "none", "euclidean"), strict=True))
CURVE = RocCurve(LABELS, (0.0, 0.001, 0.1, 1.0), (0.0, 0.0, 0.5, 1.0))


def test_no_curves_make_no_figure() -> None:
    assert roc_figure([]) is None


def test_each_model_has_a_logarithmic_and_a_linear_drawing() -> None:
    figure = roc_figure(board_groups([CURVE, replace(CURVE, labels=LABELS | {"model": "svm"})], []))
    assert figure is not None
    assert [panel.title for panel in figure.panels] == ["mlp: log-log", "mlp: linear", "svm: log-log", "svm: linear"]
    assert [key.name for key in figure.legend] == ["euclidean"]


def test_a_drawing_is_named_as_tables_name_its_model_and_by_its_setting_where_there_are_several(
    row: Callable[..., Row], roles: Roles
) -> None:
    variant = {"unlearner": "retrain(order=fresh)", "model": "mlp", "attack": "euclidean"}
    rows = [row(**LABELS), row(**LABELS | variant | {"model": "svm"}), row(**LABELS | {"dataset": "digits"})]
    lines = [line for table in tables(rows, roles, [ATTACK]) for line in table.rows]
    figure = roc_figure(board_groups([replace(CURVE, labels=line.names) for line in lines], lines))
    assert figure is not None
    assert [panel.title for panel in figure.panels][1::2] == [
        "mlp, adult, single: linear",
        "svm, retrain(order=fresh), adult, single: linear",
        "mlp, digits, single: linear",
    ]


def test_points_lie_where_their_rates_are_and_logarithms_leave_nothing_out_of_sight() -> None:
    figure = roc_figure(board_groups([CURVE], []))
    assert figure is not None
    logarithmic, linear = (panel.paths[0].path for panel in figure.panels)
    assert linear == "M46 200h0.3l25.9 -93l235.8 -93"
    assert logarithmic == "M220.7 32.7l87.3 -18.7"


def test_a_curve_that_a_logarithmic_axis_does_not_reach_is_not_drawn_there() -> None:
    figure = roc_figure(board_groups([RocCurve(LABELS, (0.0, 1.0), (0.0, 0.0))], []))
    assert figure is not None
    assert [bool(panel.paths[0].path) for panel in figure.panels] == [False, True]


def test_twenty_curves_look_different_and_neighbours_differ_in_colour_and_in_dash() -> None:
    figure = roc_figure(
        board_groups([replace(CURVE, labels=LABELS | {"attack": f"attack-{i}"}) for i in range(20)], [])
    )
    assert figure is not None
    looks = [(key.colour, key.dash) for key in figure.legend]
    assert len(set(looks)) == 20
    assert all(a[0] != b[0] and a[1] != b[1] for a, b in itertools.pairwise(looks))


ENTRY = BoardEntry(
    "an-entry-1a2b3c4d", "ab" * 32, "(entry)", "An author", "2026-11-27", "", "", "", {"python": "3.12"}, "",
    nonce="<i>spring</i>", rerun=("to the bit: <u>",),
)  # fmt: skip


@pytest.fixture
def page(publication: Publication) -> str:
    nasty = replace(CURVE, labels=LABELS | {"attack": "<b>bold</b>"})
    return build_page(replace(publication, curves=(nasty,), entries=(ENTRY,)))["index.html"]


def test_curves_and_provenance_are_on_the_page_and_markup_stays_text(page: str) -> None:
    assert 'id="roc"' in page
    for tag in ("b>bold", "i>spring"):
        assert f"&lt;{tag.replace('>', '&gt;')}" in page
        assert f"<{tag}" not in page.split("<footer>")[1] + page.split('id="roc"')[1].split("</section>")[0]
    assert "an-entry-1a2b3c4d" in page
