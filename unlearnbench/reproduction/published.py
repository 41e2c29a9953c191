"""The tables that ``unlearnbench reproduce --tables`` wrote, read again: claims can be tested without the store."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from unlearnbench.core.errors import UserError
from unlearnbench.core.estimates import Estimate
from unlearnbench.report.formats import text_of_csv
from unlearnbench.run.results import Row
from unlearnbench.suite.model import AXES, PluginRef, Suite

Key = tuple[str, ...]
"""The labels on all axes, and the seed."""


def read_rows(file: Path, suite: Suite) -> list[Row]:
    """Return the rows of a suite from its table, in the order of the table.

    Details of estimates are not in a table. Raises :class:`UserError` where there is no table, where it is none of
    ours, or where it names a plug-in that the suite does not list.
    """
    if not file.exists():
        raise UserError("no such table; unlearnbench reproduce --tables DIR writes one", where=str(file))
    try:
        with file.open(encoding="utf-8", newline="") as text:
            return _rows(csv.DictReader(text), suite, file)
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror or error}", str(file)) from None
    except (AttributeError, KeyError, TypeError, ValueError, csv.Error):
        raise UserError("no table of unlearnbench reproduce --tables DIR; write it again", str(file)) from None


def _rows(lines: Iterable[Mapping[str, str]], suite: Suite, file: Path) -> list[Row]:
    rows: dict[Key, Row] = {}
    metrics: dict[Key, dict[str, Estimate]] = {}
    for cells in lines:
        line = {name: text_of_csv(cell) for name, cell in cells.items()}
        key = (*(line[axis] for axis in AXES), line["seed"])
        if key not in rows:
            metrics[key] = {}
            rows[key] = _row(line, _axes(line, suite, file), metrics[key])
        if line["metric"]:
            metrics[key][line["metric"]] = _estimate(line)
    return list(rows.values())


def _axes(line: Mapping[str, str], suite: Suite, file: Path) -> dict[str, PluginRef]:
    axes = {axis: next((ref for ref in suite.axes[axis] if ref.label == line[axis]), None) for axis in AXES}
    for axis, ref in axes.items():
        if ref is None:
            raise UserError(f'{axis} "{line[axis]}" is not in the suite; the table is of another version', str(file))
    return {axis: ref for axis, ref in axes.items() if ref is not None}


def _row(line: Mapping[str, str], axes: Mapping[str, PluginRef], metrics: Mapping[str, Estimate]) -> Row:
    status: Any = line["row_status"]
    return Row(axes, None if line["seed"] == "mean" else int(line["seed"]), status, line["row_reason"], metrics)


def _estimate(line: Mapping[str, str]) -> Estimate:
    value, low, high = (float(line[name]) if line[name] else None for name in ("value", "low", "high"))
    status: Any = line["status"]
    return Estimate(value, low, high, int(line["n"]), status, line["reason"])
