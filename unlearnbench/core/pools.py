"""How the records of a data set are dealt out to the two sides and to each original model."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.records import Records, among
from unlearnbench.core.seeding import SeedPath

Side = Literal["target", "shadow"]
"""The victim's models, or the adversary's own copies, trained on disjoint records."""


@dataclass(frozen=True)
class EpisodeSizes:
    """How much one side (target or shadow) trains and asks.

    originals: original models · requests: deletion requests of each original, each served on its own · records:
    training records of an original · negatives, matched, retained: records queried per request beside the
    forgotten ones (unseen at random, unseen and like the forgotten record, still in the training set).
    """

    originals: int = 10
    requests: int = 20
    records: int = 2000
    negatives: int = 50
    matched: int = 5
    retained: int = 20


@dataclass(frozen=True)
class Pools:
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
    """Return the pools of one original and the ids (m,) on which test accuracy is measured.

    One permutation of all records cuts the data in a target half and a shadow half; 80 % of a half may be trained
    on, 20 % never is (Chen et al. 2021, section 4). Each original draws its training set from the 80 %.
    """
    trainable, unseen = side_halves(records, side, seeds)
    path = seeds / side / original
    training = draw(trainable, sizes.records, path / "training")
    return (
        Pools(
            training=training,
            deletable=_without_duplicates(records, training[(path / "targets").permutation(len(training))]),
            unseen=_without_duplicates(records, unseen),
            addable=_without_duplicates(records, _others(trainable, training, path / "spare")),
        ),
        unseen,
    )


def side_halves(records: Records, side: Side, seeds: SeedPath) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the ids that a side may train on and those that it never does: 40 % and 10 % of all records."""
    order = _split(seeds, len(records))
    half = np.array_split(order, 2)[0 if side == "target" else 1]
    cut = len(half) * 4 // 5
    return half[:cut], half[cut:]


@lru_cache(maxsize=8)  # all originals of both sides share it
def _split(seeds: SeedPath, n: int) -> NDArray[np.int64]:
    order = (seeds / "split").permutation(n)
    order.setflags(write=False)
    return order


def _others(trainable: NDArray[np.int64], training: NDArray[np.int64], seeds: SeedPath) -> NDArray[np.int64]:
    left = trainable[~among(trainable, training)]
    return left[seeds.permutation(len(left))]


def _without_duplicates(records: Records, ids: NDArray[np.int64]) -> NDArray[np.int64]:
    return ids[~records.has_duplicate[ids]]
