"""What each column of a file of answers must hold, and the error where it does not."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from unlearnbench.audit.columns import MATRICES, Array, Columns
from unlearnbench.core.csv_rows import whole_number
from unlearnbench.core.errors import did_you_mean
from unlearnbench.core.messages import brief
from unlearnbench.core.scenarios import Role

Texts = NDArray[np.object_]
"""A column (n,) of Python strings: numpy's own text would make every value as wide as the longest."""

ROLES: Final = {"forgotten": Role.FORGOTTEN, "retained": Role.RETAINED, "unseen": Role.UNSEEN}
"""The roles of records that the models are asked about for their own sake."""
POPULATION: Final = -1
"""In place of a role: a record of the population."""
_GIVEN: Final[Mapping[str, int]] = {**ROLES, "population": POPULATION}
COLUMNS: Final = ("role", *MATRICES, "label", "original", "request", "record", "group")
"""All columns of answers; the last five may be left out."""

SUM_TOLERANCE: Final = 0.01
"""A record's probabilities may miss 1 by this much: they come rounded, from files that others wrote."""
ROUNDING: Final = 1e-6
"""How far a sum of exactly .99 or 1.01 may come out beyond it, where the numbers have single precision or more."""

NONE: Final = ("", "-1", "nan", "None")
"""An id that is none."""


def record_name(names: Texts | None, record: int) -> str:
    """Return the id of a record as the file has it, or the number of its row from 0 where the file has none."""
    return str(record) if names is None else str(names[record])


def check_names(columns: Columns, known: Sequence[str] = COLUMNS, needed: Sequence[str] = ("role", *MATRICES)) -> None:
    """Refuse a file without the columns it must have, and one with others: a misspelt one would be passed over."""
    for name in sorted(columns.arrays.keys() - set(known)):
        columns.fail(f"has {brief(name)}, which is not a known column{did_you_mean(name, known)}")
    for name in needed:
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
    rounding = max(ROUNDING, np.finfo(given.dtype).eps) if given.dtype.kind == "f" else ROUNDING
    with np.errstate(invalid="ignore", over="ignore"):  # sums of infinities of both signs
        total = values.sum(axis=1)
    sound = (np.isfinite(values) & (values >= 0)).all(axis=1) & (np.abs(total - 1) <= SUM_TOLERANCE + rounding)
    for row in np.flatnonzero(~sound)[:1].tolist():
        columns.fail(_wrong(name, values, row), row)
    return values


def _wrong(name: str, values: NDArray[np.float64], row: int) -> str:
    """Return what is wrong with the numbers of a row that are no probabilities, and what would be right."""
    given = values[row]
    for number in np.flatnonzero(~np.isfinite(given))[:1].tolist():
        return f"{name}_{number} is {given[number]:g}; give a probability, or leave out the record"
    if (given <= 0).all() and abs(np.exp(given).sum() - 1) <= SUM_TOLERANCE:
        return f"{name} are logarithms of probabilities; give the probabilities: their exponentials"
    for number in np.flatnonzero(given < 0)[:1].tolist():
        return f"{name}_{number} is {given[number]:g}, negative; give probabilities, not logits"
    if abs(given.sum() / 100 - 1) <= SUM_TOLERANCE:
        return f"{name} are per cent, of sum {given.sum():.4g}; divide them by 100"
    return (
        f"{name} sum to {given.sum():.4g}; the probabilities of all classes must sum to 1, to {SUM_TOLERANCE:g}: "
        "give all classes, and enough digits"
    )


def roles(columns: Columns, n: int) -> NDArray[np.int8]:
    """Return the :class:`Role` (n,) of each row or :data:`POPULATION`; forgotten and unseen records must be there."""
    given = texts(columns, "role", n)
    for row in (row for row, role in enumerate(given) if role not in _GIVEN):
        columns.fail(f"role {brief(given[row])}{did_you_mean(given[row], _GIVEN)}", row)
    for needed in ("forgotten", "unseen"):
        if needed not in given:
            columns.fail(f"has no row of role {needed}; forgotten records are compared with unseen ones: give both")
    return np.array([_GIVEN[role] for role in given], dtype=np.int8)


def labels(columns: Columns, n: int, n_classes: int) -> NDArray[np.int64]:
    """Return the true class (n,) of each row, 0 where the file has no labels."""
    if "label" not in columns.arrays:
        return np.zeros(n, dtype=np.int64)
    given = texts(columns, "label", n)
    found = [_class_number(label, n_classes) for label in given]
    for row in (row for row, label in enumerate(found) if label < 0):
        columns.fail(f"label {brief(given[row])} must be the number of a class, 0 to {n_classes - 1}", row)
    return np.array(found, dtype=np.int64)


def _class_number(label: str, n_classes: int) -> int:
    """Return the number of a class, -1 where it is none."""
    try:
        number = whole_number(label)
    except ValueError:
        return -1
    return number if 0 <= number < n_classes else -1


def ids(columns: Columns, name: str, n: int) -> Texts | None:
    """Return the ids (n,) as text, empty where there is none; None where the file lacks the column."""
    if name not in columns.arrays:
        return None
    return np.array(["" if each in NONE else each for each in texts(columns, name, n)], dtype=object)


def texts(columns: Columns, name: str, n: int) -> Texts:
    """Return a column (n,) as text: 3 and 3.0 are both "3"."""
    given = columns.arrays[name]
    if given.shape != (n,):
        columns.fail(f"{name} has shape {given.shape}; it must have one entry for each of the {n} rows of before")
    return np.array([_text(value) for value in given.tolist()], dtype=object)


def _text(value: object) -> str:
    text = str(value).strip()
    return text.removesuffix(".0") if re.fullmatch(r"-?\d+\.0", text) else text
