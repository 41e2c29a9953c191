"""The columns of a file of answers, whichever format it is in: ``.npz``, ``.csv`` or ``.parquet``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

from numpy.typing import NDArray

from unlearnbench.core.errors import UserError

Array = NDArray[Any]

MATRICES: Final = ("before", "after")
"""What has a column for each class: an array (n, C) in an ``.npz``, else columns ``before_0``, ``before_1`` ..."""


@dataclass(frozen=True, eq=False)
class Columns:
    """What a file holds."""

    file: Path
    arrays: Mapping[str, Array]
    """Its columns by name, as they were read; text as Python objects, so that a long value makes no others longer."""
    lines: Sequence[int] | None = None
    """The line of each row, in a text file."""

    def row_name(self, row: int) -> str:
        """Return the name of a row in messages: its line in a text file, else its number from 0."""
        return f"row {row}" if self.lines is None else f"line {self.lines[row]}"

    def fail(self, message: str, row: int | None = None) -> NoReturn:
        """Raise a :class:`UserError` that names the file and, where one is meant, the row."""
        raise UserError(message if row is None else f"{self.row_name(row)}: {message}", str(self.file))


Reader = Callable[[Path], Columns]
