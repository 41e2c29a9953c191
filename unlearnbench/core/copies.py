"""Noisy copies of records: the points around a record that models are asked about, for attacks that read labels.

The copies of a record follow from the record and the seed path alone. So they are asked when a model is there, anyone
can make them again, and more of them change none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.arrays import ReadOnlyArrays
from unlearnbench.core.records import Records
from unlearnbench.core.seeding import SeedPath, keyed_normals

Ids = NDArray[np.int64]

SCALES: Final = (0.1, 0.2, 0.4, 0.8, 1.6)
"""The scales S: standard deviations of the noise of a feature, over that of the feature in the data set."""


@dataclass(frozen=True, eq=False)
class CopyAnswers(ReadOnlyArrays):
    """What the models that were queried for n rows answer about K noisy copies of each record at S scales.

    A copy goes in one direction, and the farther the larger the scale. Answers are log-posteriors, as released.
    """

    before: NDArray[np.float64]
    """Answers (n, K, S, C) of the original; (n, 0, 0, 0) where the needs do not declare them."""
    after: NDArray[np.float64]
    """Answers (n, K, S, C) of the last unlearned version; (n, 0, 0, 0) where the needs do not declare them."""

    def take(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> CopyAnswers:
        """Return the answers for chosen rows, in the order given."""
        return CopyAnswers(self.before[rows], self.after[rows])


def noisy_copies(records: Records, ids: Ids, copies: int, seeds: SeedPath) -> NDArray[np.float64]:
    """Return the features (n, copies, S, ...) of noisy copies of the records ``ids`` (n,).

    Copy k is the record plus the scale times the spread of each feature times a standard normal draw, which is the same
    at all scales, and keyed by record, k and feature. A feature that all records share stays, and bounds are kept.
    """
    x, shape = records.x[ids], records.x.shape[1:]
    features = np.arange(x[0].size if len(x) else 0)
    drawn = keyed_normals(seeds.seed(), ids[:, None, None], np.arange(copies)[:, None], features)
    noise = records.spread * drawn.reshape(len(ids), copies, *shape)
    scales = np.reshape(SCALES, (len(SCALES), *[1] * len(shape)))
    moved = x[:, None, None] + scales * noise[:, :, None]
    return moved if records.bounds is None else moved.clip(*records.bounds)


def copy_ids(records: Records, ids: Ids, copies: int) -> Ids:
    """Return ids (n, copies, S) of noisy copies, beyond those of the records, that tell each copy from all others."""
    number = np.arange(copies * len(SCALES)).reshape(copies, len(SCALES))
    return np.asarray(ids[:, None, None] + len(records) * (1 + number))
