"""The style of all plots: size, fonts, colours for readers with colour blindness; and files with reproducible bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from unlearnbench.core.errors import UserError
from unlearnbench.core.files import write_whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, GREY, FAINT = "#222222", "#666666", "#999999"
DASHES: Final = (0, (4, 3))
BLUE, VERMILION = "#0072B2", "#D55E00"
COLOURS: Final = (BLUE, VERMILION, "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#7F7F7F")
"""Okabe and Ito 2008, without yellow, which is hard to see on white, and with a grey."""
MARKERS: Final = "osD^vPXh"
MOST_SERIES: Final = len(COLOURS)

_SETTINGS: Final[dict[Any, Any]] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same everywhere
    "font.size": 11,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "text.color": INK,
    "text.parse_math": False,  # a label with dollar signs is no formula
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": "#E6E6E6",
    "legend.frameon": False,
    "lines.linewidth": 2.0,
    "lines.markersize": 6.5,
    "svg.fonttype": "none",  # text stays text: it can be searched, and read aloud
    "svg.hashsalt": "unlearnbench",
    "savefig.bbox": "tight",
    "savefig.dpi": 160,
}


class Look(NamedTuple):
    """How one series is drawn: markers differ as well as colours, for readers with colour blindness."""

    colour: str
    marker: str


class Files(NamedTuple):
    """The two files of a plot."""

    svg: Path
    png: Path


def looks(series: Iterable[str]) -> dict[str, Look]:
    """Return the look of each series, in the order of first appearance; :class:`UserError` for too many."""
    names = list(dict.fromkeys(series))
    if not names:
        raise UserError("there is nothing to plot")
    if len(names) > MOST_SERIES:
        raise UserError(f"{len(names)} series are too many for one plot, which shows {MOST_SERIES}; choose some")
    return {name: Look(*look) for name, look in zip(names, zip(COLOURS, MARKERS, strict=True), strict=False)}


@contextmanager
def new_figure(width: float, height: float) -> Iterator[Figure]:
    """Yield an empty figure, its size in inches, in the style of all plots; save it within the context."""
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError as error:
        raise UserError('plots need the extra "plots": pip install "unlearnbench[plots]"') from error
    with mpl.rc_context():
        mpl.rcdefaults()  # a user's matplotlibrc must not change a figure
        mpl.rcParams.update(_SETTINGS)
        yield Figure(figsize=(width, height), layout="constrained")


def save(figure: Figure, path: Path) -> Files:
    """Write a figure to ``path`` with ``.svg`` and with ``.png`` added, the same bytes for the same values."""
    svg, png = BytesIO(), BytesIO()
    figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": "unlearnbench"})
    figure.savefig(png, format="png", metadata={"Software": "unlearnbench"})
    return Files(
        write_whole(path.with_name(f"{path.name}.svg"), svg.getvalue()),
        write_whole(path.with_name(f"{path.name}.png"), png.getvalue()),
    )


def chance_line(axes: Axes, value: float) -> None:
    """Draw the value of random guessing."""
    from matplotlib.transforms import ScaledTranslation

    axes.axhline(value, color=FAINT, linewidth=1.2, linestyle=DASHES, zorder=1)
    below = axes.get_yaxis_transform() + ScaledTranslation(4 / 72, -3 / 72, axes.figure.dpi_scale_trans)
    axes.text(0, value, "chance", transform=below, va="top", color=GREY, fontsize=9)


def spread(wanted: Sequence[float], gap: float) -> list[float]:
    """Return positions at least ``gap`` apart, in the order of the wanted ones and close to them."""
    order = sorted(range(len(wanted)), key=wanted.__getitem__)
    groups: list[tuple[float, int]] = []  # (middle, how many) of positions that are one gap apart
    for i in order:
        middle, count = float(wanted[i]), 1
        while groups and middle - groups[-1][0] < gap * (count + groups[-1][1]) / 2:
            below, others = groups.pop()
            middle, count = (middle * count + below * others) / (count + others), count + others
        groups.append((middle, count))
    positions = [middle + gap * (k - (count - 1) / 2) for middle, count in groups for k in range(count)]
    return [position for _, position in sorted(zip(order, positions, strict=True))]
