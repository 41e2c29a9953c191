"""The split of a data set between the two sides and the original models of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.arrays import ReadOnlyArrays, read_only
from unlearnbench.core.errors import UserError
from unlearnbench.core.records import Records, among
from unlearnbench.core.seeding import SeedPath

Side = Literal["target", "shadow"]
"""The attacked models, or the adversary's own shadow models. They are trained on disjoint records."""

SIZES: Mapping[str, tuple[int, int]] = {
    "originals": (1, 10_000),  # the keys of all of them are in the key of every cell
    "requests": (1, 10**6),
    "records": (2, 10**9),
    "negatives": (1, 10**9),
    "matched": (0, 10**9),
    "retained": (0, 10**9),
}
"""Least and most of each size. How much a data set holds is a narrower limit for most of them."""


def size_fault(name: str, value: object, ranges: Mapping[str, tuple[int, int]] = SIZES) -> str:
    """Return what a size must be, or "" where the value is that."""
    least, most = ranges[name]
    if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
        return ""
    reason = ", since each trains one model and one more for every request" if name == "originals" else ""
    return f"{name}: must be an integer from {least} to {most}{reason}"


@dataclass(frozen=True)
class EpisodeSizes:
    """How many models one side (target or shadow) trains, and how many records it queries.

    Raises :class:`UserError` for a size that is not in its range, see :data:`SIZES`.
    """

    originals: int = 10
    """Original models."""
    requests: int = 20
    """Deletion requests of each original; each starts from the original."""
    records: int = 2000
    """Training records of an original."""
    negatives: int = 50
    """Unseen records queried per request, drawn at random."""
    matched: int = 5
    """Unseen records queried per request that resemble the forgotten ones."""
    retained: int = 20
    """Retained records queried per request."""

    def __post_init__(self) -> None:
        for name in SIZES:
            if fault := size_fault(name, value := getattr(self, name)):
                raise UserError(f"{fault}, got {value!r}")


@dataclass(frozen=True)
class Pools(ReadOnlyArrays):
    """Record ids one original draws from, disjoint between the target and the shadow side.

    None of ``deletable``, ``unseen`` and ``addable`` has a duplicate, and each is in random order.
    """

    training: NDArray[np.int64]
    """The training set (records,), in training order."""
    deletable: NDArray[np.int64]
    """Records of the training set that may be deleted."""
    unseen: NDArray[np.int64]
    """Records that no original of this side is trained on."""
    addable: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    """Records that may be added: trainable, but not in this training set. Other originals may hold them."""


def draw(ids: NDArray[np.int64], n: int, seeds: SeedPath) -> NDArray[np.int64]:
    """Draw up to ``n`` of ``ids`` without replacement."""
    return ids[seeds.permutation(len(ids), n)]


def side_pools(
    records: Records, side: Side, sizes: EpisodeSizes, original: int, seeds: SeedPath
) -> tuple[Pools, NDArray[np.int64]]:
    """Return the pools of one original and the ids (m,) on which test accuracy is measured, no canaries.

    One permutation of all records splits the data into a target half and a shadow half. 80 % of a half may be trained
    on, 20 % is unseen (Chen et al. 2021, section 4). Each original draws its training set from the 80 %.
    """
    trainable, unseen = side_halves(records, side, seeds)
    path = seeds / side / original
    training = training_ids(trainable, sizes, path)
    return (
        Pools(
            training=training,
            deletable=_without_duplicates(records, training[(path / "targets").permutation(len(training))]),
            unseen=_without_duplicates(records, unseen),
            addable=_without_duplicates(records, _others(trainable, training, path / "spare")),
        ),
        records.without_canaries(unseen),
    )


def training_ids(trainable: NDArray[np.int64], sizes: EpisodeSizes, seeds: SeedPath) -> NDArray[np.int64]:
    """Return the training set of the original whose path is ``seeds``, in training order."""
    return draw(trainable, sizes.records, seeds / "training")


def side_halves(records: Records, side: Side, seeds: SeedPath) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the ids that a side may train on and its unseen ones: 40 % and 10 % of all records."""
    order = _split(seeds, len(records))
    half = np.array_split(order, 2)[0 if side == "target" else 1]
    cut = len(half) * 4 // 5
    return half[:cut], half[cut:]


@lru_cache(maxsize=8)  # all originals of both sides share it
def _split(seeds: SeedPath, n: int) -> NDArray[np.int64]:
    return read_only((seeds / "split").permutation(n))


def _others(trainable: NDArray[np.int64], training: NDArray[np.int64], seeds: SeedPath) -> NDArray[np.int64]:
    left = trainable[~among(trainable, training)]
    return left[seeds.permutation(len(left))]


def _without_duplicates(records: Records, ids: NDArray[np.int64]) -> NDArray[np.int64]:
    return ids[~records.has_duplicate[ids]]
