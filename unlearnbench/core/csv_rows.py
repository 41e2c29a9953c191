"""The rows of CSV files as people save them: the one reader of all tables, answers and data sets alike."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from gzip import GzipFile
from typing import IO

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.errors import UserError
from unlearnbench.core.messages import brief

OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs"}
"""What spreadsheets of some languages write where CSV has commas."""


def csv_rows(file: IO[bytes] | GzipFile, where: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each row that is not empty: the line it ends on, from 1, and its cells without spaces around them.

    The text is UTF-8, with or without a byte-order mark; lines end in LF or CRLF; cells may be in double quotes.
    UserError, which names ``where``, for text in another encoding or with other separators, and for a cell of more than
    131,072 characters, which a quote that is left open gives.
    """
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    reader = csv.reader(text, skipinitialspace=True)
    try:
        for number, row in enumerate(row for row in reader if row):
            if number == 0:
                _require_commas(row, where)
            yield reader.line_num, [cell.strip() for cell in row]
    except UnicodeDecodeError:
        raise UserError("is not text in UTF-8; save it as CSV in UTF-8", where) from None
    except csv.Error as error:
        raise UserError(f"line {reader.line_num}: {error}; is a double quote left open?", where) from None
    finally:
        if not file.closed:  # whoever opened it closes it, and may have done so before all rows were read
            text.detach()


def _require_commas(row: Sequence[str], where: str) -> None:
    for separator, name in OTHER_SEPARATORS.items() if len(row) == 1 else ():
        if separator in row[0]:
            raise UserError(f"its values are separated by {name}; separate them by commas", where)


def row_of_numbers(cells: Sequence[str], line: int, where: str, names: Sequence[str] = ()) -> NDArray[np.float64]:
    """Return the cells as numbers (k,).

    UserError where one is none, with the line and the name of its column, or its number in the row, from 1.
    """
    try:
        return np.fromiter(map(float, cells), np.float64, len(cells))
    except ValueError:
        index = next(index for index, cell in enumerate(cells) if not _is_number(cell))
        name = names[index] if names else f"value {index + 1}"
        hint = "; decimals are written with a point" if "," in cells[index] else ""
        raise UserError(f"line {line}: {name} must be a number, got {brief(cells[index])}{hint}", where) from None


def whole_number(text: str) -> int:
    """Return a whole number, also where it is written like 2.0, as spreadsheets do; ValueError where it is none."""
    try:
        return int(text)
    except ValueError:
        number = float(text)
        if not number.is_integer():
            raise ValueError(f"{brief(text)} is not a whole number") from None
        return int(number)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
