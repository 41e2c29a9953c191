"""ROC curves as inline SVG; no library draws them, so that the page needs none."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unlearnbench.stats import roc_curve

SIDE: Final = 300
"""Width and height of the square, in the SVG's units."""
MOST_CORNERS: Final = 400
DASHES: Final = ("", "7 3", "2 3", "9 3 2 3", "1 2", "12 4")
"""Told apart by dashes as well as by colour, for who does not see the colour."""


class Series(NamedTuple):
    """One curve: its name, scores (n,), a higher one says "deleted", and who was, positive (n,)."""

    name: str
    scores: NDArray[np.float64]
    positive: NDArray[np.bool_]


def roc_svg(series: Sequence[Series]) -> str:
    """Return an ``<svg>``: a curve and a legend entry for each series, in the page's colours ``--c0``, ``--c1``..."""
    lines = "".join(_line(one, number) for number, one in enumerate(series))
    keys = "".join(_key(one, number) for number, one in enumerate(series))
    ticks = "".join(_tick(share) for share in (0, 0.5, 1))
    names = escape(", ".join(one.name for one in series))
    return (
        f'<svg viewBox="-64 -12 {SIDE + 240} {SIDE + 62}" role="img" aria-label="ROC curves of {names}">'
        f'<rect width="{SIDE}" height="{SIDE}" class="frame"/><path d="M0 {SIDE}L{SIDE} 0" class="chance"/>'
        f'{ticks}<text x="{SIDE / 2}" y="{SIDE + 40}" class="mid">unseen records wrongly named</text>'
        f'<text transform="translate(-50 {SIDE / 2}) rotate(-90)" class="mid">deleted records found</text>'
        f"{lines}{keys}</svg>"
    )


def _line(one: Series, number: int) -> str:
    x, y = roc_curve(one.scores, one.positive)
    kept = (
        np.unique(np.linspace(0, len(x) - 1, MOST_CORNERS).round().astype(int))
        if len(x) > MOST_CORNERS
        else slice(None)
    )
    points = " ".join(f"{SIDE * a:.1f},{SIDE * (1 - b):.1f}" for a, b in zip(x[kept], y[kept], strict=True))
    return f'<polyline points="{points}" {_look(number)}/>'


def _key(one: Series, number: int) -> str:
    y = 14 + 20 * number
    return f'<path d="M{SIDE + 12} {y}h26" {_look(number)}/><text x="{SIDE + 44}" y="{y + 4}">{escape(one.name)}</text>'


def _look(number: int) -> str:
    return f'class="curve" style="stroke:var(--c{number % 6})" stroke-dasharray="{DASHES[number % len(DASHES)]}"'


def _tick(share: float) -> str:
    at, text = SIDE * share, f"{100 * share:.0f} %"
    return (
        f'<text x="{at}" y="{SIDE + 18}" class="mid">{text}</text>'
        f'<text x="-6" y="{SIDE - at + 4}" class="end">{text}</text>'
    )
