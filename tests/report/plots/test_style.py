from __future__ import annotations

import sys
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlearnbench.core.errors import UserError
from unlearnbench.report.plots.style import COLOURS, MARKERS, MOST_SERIES, looks, new_figure, save, spread

# Viénot, Brettel and Mollon 1999: linear RGB as seen without the long- (protan) and medium-wave (deutan) cones.
SEEN = {
    "protan": [[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]],
    "deutan": [[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]],
}


def as_seen(colour: str, matrix: list[list[float]]) -> np.ndarray:
    rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.clip(np.array(matrix) @ rgb**2.2, 0, 1) ** (1 / 2.2)


@pytest.mark.parametrize("matrix", SEEN.values(), ids=SEEN)
def test_the_first_colours_differ_for_who_sees_no_red_or_no_green(matrix: list[list[float]]) -> None:
    seen = [as_seen(colour, matrix) for colour in COLOURS[:5]]
    apart = [np.linalg.norm(seen[i] - seen[j]) for i in range(len(seen)) for j in range(i)]
    assert min(apart) > 0.1  # the later ones are told apart by their markers
    assert np.linalg.norm(seen[0] - seen[1]) > 0.5


def test_every_series_has_its_own_colour_and_its_own_marker() -> None:
    named = looks(map(str, range(MOST_SERIES)))
    assert len({look.colour for look in named.values()}) == len({look.marker for look in named.values()}) == MOST_SERIES
    assert len(MARKERS) == MOST_SERIES


@pytest.mark.parametrize(("count", "said"), [(0, "nothing to plot"), (MOST_SERIES + 1, "too many")])
def test_no_series_and_too_many_are_refused(count: int, said: str) -> None:
    with pytest.raises(UserError, match=said):
        looks(map(str, range(count)))


def test_without_matplotlib_the_extra_to_install_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(UserError, match=r'pip install "unlearnbench\[plots\]"'), new_figure(1, 1):
        pass


def test_files_carry_no_date_and_readers_settings_do_not_change_them(tmp_path: Path) -> None:
    import matplotlib as mpl

    def draw(name: str) -> bytes:
        with new_figure(2, 2) as figure:
            figure.subplots().plot([0, 1])
            return save(figure, tmp_path / name).svg.read_bytes()

    plain = draw("plain")
    with mpl.rc_context({"font.size": 30, "lines.linewidth": 9}):
        assert draw("changed") == plain
    assert b"dc:date" not in plain


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_names_are_spread_apart_in_their_order(wanted: list[float]) -> None:
    places = spread(wanted, 0.1)
    order = np.argsort(wanted, kind="stable")
    assert np.all(np.diff(np.array(places)[order]) >= 0.1 - 1e-9)


def test_names_that_stand_apart_stay_where_they_are() -> None:
    assert spread([0.9, 0.1], 0.1) == [0.9, 0.1]
    assert spread([0.5, 0.5], 0.1) == pytest.approx([0.45, 0.55])


@pytest.mark.parametrize("label", ["$x$", r"$\frac$", "a $ b", "<b>&amp;"])
def test_a_label_is_drawn_as_it_is_and_never_as_a_formula(label: str, tmp_path: Path) -> None:
    with new_figure(2, 2) as figure:
        figure.text(0.1, 0.5, label)
        drawn = save(figure, tmp_path / "label").svg.read_text(encoding="utf-8")
    assert escape(label) in drawn
