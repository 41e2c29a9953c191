"""Results as text: a line for each row, in several formats."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Literal, get_args

from unlearnbench.report.formats import ESCAPES, Style, csv_cell, table
from unlearnbench.report.numbers import cell
from unlearnbench.run.results import Row
from unlearnbench.suite.model import AXES

Format = Literal["plain", "md", "csv", "json", "latex"]
FORMATS: tuple[str, ...] = get_args(Format)

FIELDS = ("value", "low", "high", "n", "status", "reason")
"""The fields of an estimate in tables with a line for each number."""

SHOWN = ("auc", "auc-matched", "auc-retained", "tpr-at-fpr-0.01", "deg-count", "deg-rate")
"""Metrics that a text table shows, where a row has them; csv and json hold all."""


def render(rows: Sequence[Row], style: Format) -> str:
    """Return all rows in one of the :data:`FORMATS`."""
    if style == "json":
        return json.dumps([row.to_dict() for row in rows], indent=1, allow_nan=False)
    if style == "csv":
        return to_csv(rows).rstrip("\n")
    return grid(rows, style)


def grid(rows: Sequence[Row], style: Style) -> str:
    """Return a table of the main metrics; an axis on which all rows agree is named once, above it."""
    same = {axis: rows[0].names[axis] for axis in AXES if len({row.names[axis] for row in rows}) == 1} if rows else {}
    axes = [axis for axis in AXES if axis not in same]
    metrics = [name for name in SHOWN if any(name in row.metrics for row in rows)]
    headers = [*axes, "seed", *metrics, "note"]
    lines = [
        [
            *(row.names[axis] for axis in axes),
            "mean" if row.seed is None else str(row.seed),
            *(cell(row, name) for name in metrics),
            row.reason,
        ]
        for row in rows
    ]
    caption = ESCAPES[style](", ".join(f"{axis}: {label}" for axis, label in same.items()))
    text = table(lines, headers, style)
    return f"{'% ' if style == 'latex' else ''}{caption}\n\n{text}" if caption else text


def to_csv(rows: Sequence[Row]) -> str:
    """Return a line for each row and metric: axes, seed, row status, metric, value, low, high, n, status and reason."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*AXES, "seed", "row_status", "row_reason", "metric", *FIELDS])
    for row in rows:
        start = [*(row.names[axis] for axis in AXES), "mean" if row.seed is None else row.seed, row.status, row.reason]
        if not row.metrics:
            writer.writerow(map(csv_cell, [*start, "", *("" for _ in FIELDS)]))
        for name, estimate in row.metrics.items():
            writer.writerow(map(csv_cell, [*start, name, *(getattr(estimate, field) for field in FIELDS)]))
    return text.getvalue()
