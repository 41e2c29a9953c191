"""Numbers as tables show them: the value and its interval, or why there is none."""

from __future__ import annotations

from typing import Final

from unlearnbench.core.estimates import Estimate
from unlearnbench.run.results import Row

SMALL: Final = 0.01
"""Below this, a number that may be any positive one, such as seconds, is shown with significant digits."""


def number(estimate: Estimate | None, digits: int = 3) -> str:
    """Return a value and its interval, such as ``.872 [.841, .899]``; ``n/a`` where it is not defined."""
    if estimate is None or estimate.value is None:
        return "n/a"
    write = _small if estimate.scale == "positive" and 0 < estimate.value < SMALL else _short
    if estimate.low is None or estimate.high is None:
        return write(estimate.value, digits)
    return f"{write(estimate.value, digits)} [{write(estimate.low, digits)}, {write(estimate.high, digits)}]"


def cell(row: Row, metric: str) -> str:
    """Return a row's number for a metric, or the status of a row that has none: never a blank."""
    if not row.metrics:
        return row.status
    shown = number(row.metrics.get(metric))
    return f"{shown} (invalid)" if row.status == "invalid" else shown


def _short(value: float, digits: int) -> str:
    """Return a number without the zero before its point, as statistics are written."""
    text = f"{value:.{digits}f}"
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text


def _small(value: float, digits: int) -> str:
    """Return a small positive number, such as a time of milliseconds, with as many digits that are not zero."""
    return f"{value:.{digits}g}".replace("0.", ".", 1)
