"""What each column of a file of answers must hold, and the error where it does not."""

from __future__ import annotations

import re
from typing import Final

import numpy as np
from numpy.typing import NDArray

from unlearnbench.audit.columns import MATRICES, Array, Columns
from unlearnbench.core.errors import did_you_mean
from unlearnbench.core.scenarios import Role

ROLES: Final = {"forgotten": Role.FORGOTTEN, "retained": Role.RETAINED, "unseen": Role.UNSEEN}
COLUMNS: Final = ("role", *MATRICES, "label", "original", "request", "record")
"""All columns there are; the last four may be left out."""

SUM_TOLERANCE: Final = 0.01
"""A record's probabilities may miss 1 by this much: they come rounded, from files that others wrote."""

NONE: Final = ("", "-1", "nan", "None")
"""An id that is none."""


def check_names(columns: Columns) -> None:
    """Refuse a file without the columns it must have, and one with others: a misspelt one would be passed over."""
    for name in sorted(columns.arrays.keys() - set(COLUMNS)):
        columns.fail(f"has {name!r}, which is not a known column{did_you_mean(name, COLUMNS)}")
    for name in ("role", *MATRICES):
        if name not in columns.arrays:
            form = f"{name}_0, {name}_1, ..., one a class" if name in MATRICES else name
            columns.fail(f"lacks {name}; it needs {form if columns.lines is not None else name}")


def posteriors(columns: Columns) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the probabilities before and after, each (n, C): finite, not negative, and of sum 1."""
    before, after = (_probabilities(columns, name) for name in MATRICES)
    if before.shape != after.shape:
        columns.fail(f"before is {_size(before)} and after {_size(after)}; they must be of one size")
    return before, after


def _size(matrix: Array) -> str:
    return f"{len(matrix)} rows of {matrix.shape[1]} classes"


def _probabilities(columns: Columns, name: str) -> NDArray[np.float64]:
    given = columns.arrays[name]
    if given.ndim != 2 or given.shape[1] < 2 or given.dtype.kind not in "fiu":
        columns.fail(
            f"{name} is {given.dtype} of shape {given.shape}; it must be numbers (rows, classes), two classes or more"
        )
    values = np.asarray(given, dtype=np.float64)
    for wrong, what in ((~np.isfinite(values), "not finite"), (values < 0, "negative")):
        for row, number in np.argwhere(wrong)[:1].tolist():
            columns.fail(f"{name}_{number} is {values[row, number]:g}, {what}; give probabilities, not logits", row)
    total = values.sum(axis=1)
    for row in np.flatnonzero(np.abs(total - 1) > SUM_TOLERANCE)[:1].tolist():
        columns.fail(f"{name} sums to {total[row]:.4g}; the probabilities of all classes must sum to 1", row)
    return values


def roles(columns: Columns, n: int) -> NDArray[np.int8]:
    """Return the :class:`Role` (n,) of each row; forgotten and unseen records must be there."""
    given = texts(columns, "role", n)
    for row in np.flatnonzero(~np.isin(given, list(ROLES)))[:1].tolist():
        columns.fail(f"role {str(given[row])!r}{did_you_mean(str(given[row]), ROLES)}", row)
    for needed in ("forgotten", "unseen"):
        if needed not in given:
            columns.fail(f"has no row of role {needed}; forgotten records are compared with unseen ones: give both")
    found = np.empty(n, dtype=np.int8)
    for name, role in ROLES.items():
        found[given == name] = role
    return found


def labels(columns: Columns, n: int, n_classes: int) -> NDArray[np.int64]:
    """Return the true class (n,) of each row, 0 where the file has no labels."""
    if "label" not in columns.arrays:
        return np.zeros(n, dtype=np.int64)
    given = texts(columns, "label", n)
    known = {str(number): number for number in range(n_classes)}
    for row in np.flatnonzero(~np.isin(given, list(known)))[:1].tolist():
        columns.fail(f"label {str(given[row])!r} must be the number of a class, 0 to {n_classes - 1}", row)
    return np.array([known[label] for label in given.tolist()], dtype=np.int64)


def ids(columns: Columns, name: str, n: int) -> NDArray[np.str_] | None:
    """Return the ids (n,) as text, empty where there is none; None where the file lacks the column."""
    if name not in columns.arrays:
        return None
    given = texts(columns, name, n)
    return np.where(np.isin(given, NONE), "", given)


def texts(columns: Columns, name: str, n: int) -> NDArray[np.str_]:
    """Return a column (n,) as text: 3 and 3.0 are both "3"."""
    given = columns.arrays[name]
    if given.shape != (n,):
        columns.fail(f"{name} has shape {given.shape}; it must have one entry for each of the {n} rows of before")
    return np.array([_text(value) for value in given.tolist()], dtype=np.str_)


def _text(value: object) -> str:
    text = str(value).strip()
    return text.removesuffix(".0") if re.fullmatch(r"-?\d+\.0", text) else text
