"""Reading tables, ``.csv`` and ``.parquet``, in which a matrix is a column for each class."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib import import_module
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

import numpy as np

from unlearnbench.audit.columns import MATRICES, Array, Columns
from unlearnbench.core.csv_rows import csv_rows, row_of_numbers
from unlearnbench.core.errors import UserError
from unlearnbench.core.messages import brief

PARQUET_READERS: Final = ("pyarrow", "polars", "pandas")

_OF_A_CLASS = re.compile(rf"({'|'.join(MATRICES)})_(0|[1-9]\d{{0,8}})")


def read_csv(file: Path) -> Columns:
    """Read a table in text, a row at a time, so that only its numbers are kept of the matrices."""
    lines: list[int] = []
    with file.open("rb") as content:
        rows = csv_rows(content, str(file))
        _, names = next(rows, (0, []))
        places = _places(Columns(file, {}), names)
        take = {name: itemgetter(*where, where[0]) for name, where in places.items()}  # one more, to get a tuple always
        found: dict[str, list[Any]] = {name: [] for name in places}
        for line, row in rows:
            if len(row) != len(names):
                raise UserError(f"line {line}: has {len(row)} values, the header {len(names)} names", str(file))
            lines.append(line)
            for name, its in take.items():
                cells = its(row)[:-1]
                numbers = name in MATRICES
                found[name].append(row_of_numbers(cells, line, str(file), its(names)) if numbers else cells[0])
    return Columns(file, {name: _stacked(name, values, len(places[name])) for name, values in found.items()}, lines)


def _stacked(name: str, rows: list[Any], width: int) -> Array:
    """Return the rows of a matrix as (n, width), the values of any other column as objects (n,)."""
    return np.array(rows).reshape(len(rows), width) if name in MATRICES else np.array(rows, dtype=object)


def read_parquet(file: Path) -> Columns:
    """Read a table by whichever library is installed."""
    reader = next((found for name in PARQUET_READERS if (found := _module(name))), None)
    if reader is None:
        raise UserError(
            f"reading Parquet needs one of {', '.join(PARQUET_READERS)}; install one, or save CSV", str(file)
        )
    table = _module("pyarrow.parquet").read_table(file) if reader.__name__ == "pyarrow" else reader.read_parquet(file)
    names = [str(name) for name in getattr(table, "column_names", table.columns)]
    columns = Columns(file, {})
    values = [np.asarray(table[name].to_numpy()) for name in names]
    arrays = {
        name: np.stack([_numbers(columns, names[index], values[index]) for index in where], axis=1)
        if name in MATRICES
        else values[where[0]]
        for name, where in _places(columns, names).items()
    }
    return Columns(file, arrays)


def _module(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        return None


def _places(columns: Columns, names: Sequence[str]) -> Mapping[str, Sequence[int]]:
    """Return where each column is among ``names``: for a matrix, the places of its classes in their order."""
    for name, count in Counter(names).items():
        if count > 1:
            columns.fail(f"has more than one column {brief(name)}")
        if name in MATRICES:
            columns.fail(f"has a column {name}; in a table there is one for each class: {name}_0, {name}_1, ...")
    places: dict[str, dict[int, int]] = {}
    for place, name in enumerate(names):
        found = _OF_A_CLASS.fullmatch(name)
        places.setdefault(found[1] if found else name, {})[int(found[2]) if found else 0] = place
    for matrix in MATRICES:
        if (numbers := sorted(places.get(matrix, ()))) != list(range(len(numbers))):
            columns.fail(
                f"has columns {matrix}_{numbers[0]} to {matrix}_{numbers[-1]}, which must count from 0 on, each once"
            )
    return {name: [of_class[number] for number in sorted(of_class)] for name, of_class in places.items()}


def _numbers(columns: Columns, name: str, values: Array) -> Array:
    try:
        return values.astype(np.float64)
    except (TypeError, ValueError):
        row = next(row for row, value in enumerate(values) if not _is_number(value))
        columns.fail(f"{name} must be a number, got {brief(str(values[row]))}", row)


def _is_number(value: object) -> bool:
    try:
        float(value)  # type: ignore[arg-type]  # whether it is one is what is tested
    except (TypeError, ValueError):
        return False
    return True
