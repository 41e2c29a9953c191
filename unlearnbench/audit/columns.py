"""The columns of a file of answers, whichever format it is in: ``.npz``, ``.csv`` or ``.parquet``."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final, NoReturn

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.errors import UserError
from unlearnbench.hooks.sources import describe_error

Array = NDArray[Any]

MATRICES: Final = ("before", "after")
"""What has a column for each class: an array (n, C) in an ``.npz``, else columns ``before_0``, ``before_1`` ..."""

PARQUET_READERS: Final = ("pyarrow", "polars", "pandas")


@dataclass(frozen=True, eq=False)
class Columns:
    """What a file holds."""

    file: Path
    arrays: Mapping[str, Array]
    """Its columns by name, as they were read."""
    lines: Sequence[int] | None = None
    """The line of each row, in a text file."""

    def row_name(self, row: int) -> str:
        """Return the name of a row in messages: its line in a text file, else its number from 0."""
        return f"row {row}" if self.lines is None else f"line {self.lines[row]}"

    def fail(self, message: str, row: int | None = None) -> NoReturn:
        """Raise a :class:`UserError` that names the file and, where one is meant, the row."""
        raise UserError(message if row is None else f"{self.row_name(row)}: {message}", str(self.file))


def read_columns(file: Path) -> Columns:
    """Read the file by its ending; raises :class:`UserError` where it cannot be read. Nothing is unpickled."""
    readers: dict[str, Callable[[Path], Columns]] = {".npz": _npz, ".csv": _csv, ".parquet": _parquet}
    if file.suffix not in readers:
        raise UserError(f"must end in {', '.join(readers)}", str(file))
    try:
        return readers[file.suffix](file)
    except UserError:
        raise
    except Exception as error:  # noqa: BLE001 - what a damaged file makes zipfile, numpy or a reader of Parquet raise
        reason = error.strerror if isinstance(error, OSError) and error.strerror else describe_error(error)
        raise UserError(f"cannot be read: {reason}", str(file)) from None


def _npz(file: Path) -> Columns:
    try:
        with file.open("rb") as content:
            found = np.load(content, allow_pickle=False)
            if isinstance(found, np.ndarray):
                raise UserError("is one array; save several by name with numpy.savez", str(file))
            return Columns(file, {name: np.asarray(found[name]) for name in found.files})
    except ValueError as error:  # what numpy raises for arrays of Python objects, which would have to be unpickled
        raise UserError(f"holds an array of neither numbers nor text: {describe_error(error)}", str(file)) from None


def _csv(file: Path) -> Columns:
    lines, rows = [], []
    try:
        with file.open(newline="", encoding="utf-8-sig") as text:
            reader = csv.reader(text)
            header = [name.strip() for name in next(reader, [])]
            for row in reader:
                if row:
                    lines.append(reader.line_num)
                    rows.append(row)
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"is not a CSV file in UTF-8: {describe_error(error)}", str(file)) from None
    columns = Columns(file, {}, lines)
    for number, row in enumerate(rows):
        if len(row) != len(header):
            columns.fail(f"has {len(row)} values, the header {len(header)} names", number)
    return _table(columns, header, {name: np.array([row[i] for row in rows]) for i, name in enumerate(header)})


def _parquet(file: Path) -> Columns:
    if not file.is_file():
        raise FileNotFoundError(2, "No such file or directory")
    reader = next((found for name in PARQUET_READERS if (found := _module(name))), None)
    if reader is None:
        raise UserError(
            f"reading Parquet needs one of {', '.join(PARQUET_READERS)}; install one, or save CSV", str(file)
        )
    table = _module("pyarrow.parquet").read_table(file) if reader.__name__ == "pyarrow" else reader.read_parquet(file)
    names = [str(name) for name in getattr(table, "column_names", table.columns)]
    return _table(Columns(file, {}), names, {name: np.asarray(table[name].to_numpy()) for name in names})


def _module(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        return None


def _table(columns: Columns, names: Sequence[str], values: Mapping[str, Array]) -> Columns:
    """Put the columns of each matrix side by side, in the order of their numbers."""
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        columns.fail(f"has more than one column {repeated[0]}")
    arrays = {name: values[name] for name in names if not _class_of(name)}
    for matrix in MATRICES:
        numbers = sorted(int(found[2]) for name in names if (found := _class_of(name)) and found[1] == matrix)
        if numbers != list(range(len(numbers))):
            columns.fail(
                f"has columns {matrix}_{numbers[0]} to {matrix}_{numbers[-1]}, which must count from 0 on, each once"
            )
        if numbers:
            parts = [_numbers(columns, f"{matrix}_{number}", values[f"{matrix}_{number}"]) for number in numbers]
            arrays[matrix] = np.stack(parts, axis=1)
    return Columns(columns.file, arrays, columns.lines)


def _class_of(name: str) -> re.Match[str] | None:
    return re.fullmatch(r"(before|after)_(0|[1-9]\d*)", name)


def _numbers(columns: Columns, name: str, values: Array) -> NDArray[np.float64]:
    try:
        return values.astype(np.float64)
    except (TypeError, ValueError):
        row, value = next((i, value) for i, value in enumerate(values) if not _is_number(value))
        columns.fail(f"{name} must be a number, got {str(value)!r}", row)


def _is_number(value: object) -> bool:
    try:
        float(value)  # type: ignore[arg-type]  # whether it is one is what is tested
    except (TypeError, ValueError):
        return False
    return True
