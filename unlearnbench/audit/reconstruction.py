"""Deleted records reconstructed from the parameters of linear models before and after, beside a guess without them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from unlearnbench.audit import reading
from unlearnbench.audit.columns import Columns
from unlearnbench.audit.files import read_columns
from unlearnbench.core.estimates import Estimate
from unlearnbench.stats import MIN_CLUSTERS, clustered_mean, deleted_direction, logistic_hessian, ridge_hessian

Matrix = NDArray[np.float64]
Loss = Literal["logistic", "squared"]

MATRICES: Final = ("before", "after", "deleted", "sample")
NAMES: Final = (*MATRICES, "records")
FORM: Final = dict.fromkeys(MATRICES[:3], "(deletions, features)") | {"sample": "(records, features)"}

LARGEST: Final = 1e30
"""Products of larger numbers might be none."""


@dataclass(frozen=True, eq=False)
class Parameters:
    """What an adversary has of m deletions from linear models of d features, and the truth."""

    file: Path
    before: Matrix
    """Parameters (m, d) of the original of each deletion."""
    after: Matrix
    """Parameters (m, d) after it."""
    deleted: Matrix
    """Features (m, d) of the deleted record: the truth, which the adversary has not."""
    sample: Matrix
    """Features (n, d) of records of the adversary's that are distributed like the training set."""
    records: int
    """Records that remain in the training set of a model."""


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """How near reconstructed records are to the deleted ones: the absolute cosine of their angle, 1 is exact."""

    cosines: Matrix
    """Of each deletion (m,); 0 where nothing shows a record."""
    baselines: Matrix
    """The same (m,) of a guess without the models: the mean record of the sample."""
    cosine: Estimate
    baseline: Estimate
    by_original: bool
    """Whether intervals are over original models; else they are over the deletions from these models."""
    unchanged: int
    """Deletions that changed no parameter."""


def read_parameters(file: Path) -> Parameters:
    """Read and check an ``.npz`` file; the first mistake raises :class:`UserError`."""
    columns = read_columns(file)
    if file.suffix.lower() != ".npz":
        columns.fail("must be .npz: arrays before, after, deleted, sample and records")
    reading.check_names(columns, NAMES, NAMES)
    before, after, deleted, sample = (_matrix(columns, name) for name in MATRICES)
    for name, matrix in (("after", after), ("deleted", deleted)):
        if matrix.shape != before.shape:
            columns.fail(f"{name} has shape {matrix.shape}, and before {before.shape}; give one row for each deletion")
    if sample.shape[1] != before.shape[1]:
        columns.fail(
            f"sample has {sample.shape[1]} features, and before {before.shape[1]} parameters; give one for each"
        )
    for row in np.flatnonzero(~deleted.any(axis=1))[:1].tolist():
        columns.fail("deleted is 0 in all features, which has no direction; give the intercept a feature of 1", row)
    return Parameters(file, before, after, deleted, sample, _records(columns))


def _matrix(columns: Columns, name: str) -> Matrix:
    given = columns.arrays[name]
    if given.ndim != 2 or not given.size or given.dtype.kind not in "fiu":
        columns.fail(f"{name} is {given.dtype} of shape {given.shape}; it must be numbers {FORM[name]}")
    matrix = np.asarray(given, dtype=np.float64)
    for row, feature in np.argwhere(~(np.abs(matrix) <= LARGEST))[:1].tolist():
        columns.fail(f"{name} is {matrix[row, feature]:g} at feature {feature}; give numbers up to {LARGEST:g}", row)
    return matrix


def _records(columns: Columns) -> int:
    given = columns.arrays["records"]
    if given.size != 1 or given.dtype.kind not in "iu" or not (count := int(given.ravel()[0])) > 0:
        columns.fail("records must be one whole number above 0: how many records the training set has after a deletion")
    return count


def reconstruct(given: Parameters, loss: Loss, penalty: float) -> Reconstruction:
    """Reconstruct each deleted record: H (after - before) is a multiple of it (Bertran et al. 2024, arXiv 2405.20272).

    The adversary takes the Hessian H of the loss from its own records, for as many as the training set has. ``penalty``
    is that of half the squared parameters, beside the *sum* of the losses; a feature that is 1 for all records, the
    intercept, is not penalized.
    """
    found = np.array([_cosine(_guess(given, k, loss, penalty), record) for k, record in enumerate(given.deleted)])
    mean = given.sample.mean(axis=0)
    baselines = np.array([_cosine(mean, record) for record in given.deleted])
    original = np.unique(given.before, axis=0, return_inverse=True)[1].reshape(-1)
    by_original = int(original.max()) + 1 >= MIN_CLUSTERS
    cluster = original if by_original else np.arange(len(found))
    cosine, baseline = (clustered_mean(values, cluster, "share") for values in (found, baselines))
    unchanged = int((given.before == given.after).all(axis=1).sum())
    return Reconstruction(found, baselines, cosine, baseline, by_original, unchanged)


def _guess(given: Parameters, deletion: int, loss: Loss, penalty: float) -> Matrix:
    """Return the direction (d,) of a reconstructed record; zeros where nothing shows one."""
    before, after, sample = given.before[deletion], given.after[deletion], given.sample
    own = ridge_hessian(sample, 0.0) if loss == "squared" else logistic_hessian(sample, before, 0.0)
    penalties = np.where((sample == 1).all(axis=0), 0.0, penalty)
    try:
        return deleted_direction(before, after, given.records / len(sample) * own + np.diag(penalties))
    except ValueError:
        return np.zeros_like(before)


def _cosine(one: Matrix, other: Matrix) -> float:
    lengths = float(np.linalg.norm(one) * np.linalg.norm(other))
    return min(1.0, float(abs(one @ other)) / lengths) if lengths else 0.0
