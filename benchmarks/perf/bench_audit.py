"""The comparison of label distributions in an audit, beside drawing all classes at once."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from comparing import Compare
from numpy.typing import NDArray

from unlearnbench.stats import counts_differ
from unlearnbench.stats.significance import DRAWS

Counts = NDArray[np.int64]


def all_at_once(first: Counts, second: Counts) -> float:
    """Return the p-value from one array of all draws of all classes, those without a record too."""
    both, size = first + second, int(first.sum())
    expected = both * size / both.sum()
    drawn = np.random.default_rng(0).multivariate_hypergeometric(both, size, size=DRAWS, method="marginals")
    present = both > 0
    chi_square = ((np.vstack([first, drawn]) - expected)[:, present] ** 2 / expected[present]).sum(axis=1)
    return float(np.mean(chi_square >= chi_square[0] * (1 - 1e-12)))


@pytest.mark.parametrize(("classes", "records"), [(10, 150), (1000, 1000), (8631, 150)])
def bench_labels(classes: int, records: int, compare: Compare) -> None:
    """Compare the labels of a fifth of the records with those of the others."""
    label = np.random.default_rng(1).integers(classes, size=records)
    first, second = (np.bincount(part, minlength=classes) for part in np.split(label, [records // 5]))
    compare(
        "labels of an audit",
        f"{classes:,} classes, {records:,} records",
        reference=partial(all_at_once, first, second),
        fast=lambda: counts_differ(first, second, np.random.default_rng(0)),
        rounds=1,
        table="Audit",
    )
