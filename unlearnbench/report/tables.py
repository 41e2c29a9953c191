"""Results as text: a line for each row, in several formats."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Literal, get_args

from unlearnbench.core.errors import UserError, did_you_mean
from unlearnbench.core.messages import counted, shown
from unlearnbench.report.formats import ESCAPES, Style, csv_text, table
from unlearnbench.report.numbers import cell
from unlearnbench.run.results import Row
from unlearnbench.suite.model import AXES, Axis

Format = Literal["plain", "md", "csv", "json", "latex"]
FORMATS: tuple[str, ...] = get_args(Format)

FIELDS = ("value", "low", "high", "n", "status", "reason")
"""The fields of an estimate in tables with a line for each number."""

MAIN = ("auc", "auc-matched", "auc-retained", "tpr-at-fpr-0.01", "deg-count", "deg-rate")
"""Metrics that the first table shows. Those of plug-ins come after them."""
OF_MODELS = (
    "test-accuracy-original",
    "test-accuracy-unlearned",
    "released-test-accuracy",
    "released-log-loss",
    "seconds-to-train",
    "seconds-to-unlearn",
)
"""Metrics that the second table shows: they are the same for all attacks."""
RARE = (
    "tpr-at-fpr-*",
    "advantage",
    "precision-at-prior-*",
    "rank-*",
    "identical-*",
    "train-accuracy-*",
    "overfitting",
    "released-calibration-error",
)
"""Metrics of ours that a table shows only if they are asked for. CSV and JSON hold all."""
ALL = "all"
"""The name that asks for all metrics."""


def render(rows: Sequence[Row], style: Format, metrics: Sequence[str] = ()) -> str:
    """Return all rows in one of the :data:`FORMATS`, with these metrics only.

    Without ``metrics``, text tables show the main ones, and CSV and JSON all. Cells that are not to run have a row in
    CSV and JSON; below text tables there is a line for each reason. Raises :class:`UserError` where no row
    has one of the metrics.
    """
    rows = with_metrics(rows, metrics) if metrics else rows
    if style == "json":
        return json.dumps([row.to_dict() for row in rows], indent=1, allow_nan=False)
    if style == "csv":
        return to_csv(rows).rstrip("\n")
    shown = [row for row in rows if row.status != "skipped"]
    tables = [grid(shown, _measured(shown), style)] if metrics else _overview(shown, style)
    return "\n\n".join([*(tables if shown else []), *_skipped(rows, style)])


def with_metrics(rows: Sequence[Row], names: Sequence[str]) -> list[Row]:
    """Return the rows with these metrics only, in this order; ``all`` names every one."""
    known = _measured(rows)
    for name in names:
        if name not in (*known, ALL):
            raise UserError(f"no row has the metric {shown(name)}{did_you_mean(name, [*known, ALL])}")
    wanted = known if ALL in names else names
    return [replace(row, metrics={name: row.metrics[name] for name in wanted if name in row.metrics}) for row in rows]


def _measured(rows: Sequence[Row]) -> list[str]:
    """Return the names of all metrics that a row has."""
    return list(dict.fromkeys(name for row in rows for name in row.metrics))


def _skipped(rows: Sequence[Row], style: Style) -> list[str]:
    """Return a line for each reason for which cells are not to run, with their number, the most frequent first."""
    reasons = Counter(row.reason for row in rows if row.status == "skipped" and row.seed is not None)
    return [_note(f"{counted(count, 'cell')} skipped: {reason}", style) for reason, count in reasons.most_common()]


def _note(text: str, style: Style) -> str:
    return f"{'% ' if style == 'latex' else ''}{ESCAPES[style](text)}"


def _overview(rows: Sequence[Row], style: Style) -> list[str]:
    """Return a table of the attacks, one of the models, and the names of what neither shows."""
    known = _measured(rows)
    others = [name for name in known if not any(fnmatchcase(name, each) for each in (*MAIN, *OF_MODELS, *RARE))]
    first, second = [name for name in (*MAIN, *others) if name in known], [name for name in OF_MODELS if name in known]
    tables = [grid(rows, first, style)]
    if second:
        tables.append(grid(_of_models(rows), second, style, AXES[:-1]))
    if left := [name for name in known if name not in (*first, *second)]:
        tables.append(
            _note(f"Also measured: {', '.join(left)}. --metric NAME shows one, --metric all shows all.", style)
        )
    return tables


def _of_models(rows: Sequence[Row]) -> list[Row]:
    """Return one row for the attacks on the same models: one that has numbers, if there is one."""
    found: dict[tuple[object, ...], Row] = {}
    for row in rows:
        setting = (*(row.names[axis] for axis in AXES[:-1]), row.seed)
        if not (setting in found and found[setting].metrics):
            found[setting] = replace(row, status="ok", reason="") if row.metrics else row
    return list(found.values())


def grid(rows: Sequence[Row], metrics: Sequence[str], style: Style, axes: Sequence[Axis] = AXES) -> str:
    """Return a table of some metrics; an axis on which all rows agree is named once, above it."""
    same = {axis: rows[0].names[axis] for axis in axes if len({row.names[axis] for row in rows}) == 1} if rows else {}
    varying = [axis for axis in axes if axis not in same]
    lines = [
        [
            *(row.names[axis] for axis in varying),
            "mean" if row.seed is None else str(row.seed),
            *(cell(row, name) for name in metrics),
            row.note,
        ]
        for row in rows
    ]
    caption = ", ".join(f"{axis}: {label}" for axis, label in same.items())
    text = table(lines, [*varying, "seed", *metrics, "note"], style)
    return f"{_note(caption, style)}\n\n{text}" if caption else text


def to_csv(rows: Sequence[Row]) -> str:
    """Return a line for each row and metric: axes, seed, row status, metric, value, low, high, n, status and reason."""
    lines: list[list[object]] = []
    for row in rows:
        start = [*(row.names[axis] for axis in AXES), "mean" if row.seed is None else row.seed, row.status, row.note]
        if not row.metrics:
            lines.append([*start, "", *("" for _ in FIELDS)])
        for name, estimate in row.metrics.items():
            lines.append([*start, name, *(getattr(estimate, field) for field in FIELDS)])
    return csv_text([*AXES, "seed", "row_status", "row_reason", "metric", *FIELDS], lines)
