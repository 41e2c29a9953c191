"""Numbers as tables show them: the value and its interval, or why there is none."""

from __future__ import annotations

from unlearnbench.core.estimates import Estimate
from unlearnbench.run.results import Row


def number(estimate: Estimate | None, digits: int = 3) -> str:
    """Return a value and its interval, such as ``.872 [.841, .899]``; ``n/a`` where it is not defined."""
    if estimate is None or estimate.value is None:
        return "n/a"
    if estimate.low is None or estimate.high is None:
        return _short(estimate.value, digits)
    return f"{_short(estimate.value, digits)} [{_short(estimate.low, digits)}, {_short(estimate.high, digits)}]"


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
