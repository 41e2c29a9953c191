"""Matched negatives: unseen records that resemble the forgotten one, the hard case for a deletion-inference attack."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.models import Fitted, HasRegions
from unlearnbench.core.records import TrainingSet
from unlearnbench.core.seeding import SeedPath

TRY_FIRST = 256
"""Number of candidates that are tried first; all are tried where these are too few."""


def matched_negatives(
    original: Fitted,
    data: TrainingSet,
    forgotten: NDArray[np.int64],
    unseen: NDArray[np.int64],
    per_request: int,
    seeds: SeedPath,
) -> NDArray[np.int64]:
    """Return up to ``per_request`` unseen ids with the label and in the neighbourhood of the forgotten records.

    Neighbourhood: the same region of the original model where it has regions (the leaves of a tree), else the nearest
    records by Euclidean distance on features standardized over the training set. A region without unseen records of the
    label gives none. Several forgotten records share ``per_request`` evenly; the first ones get the remainder.
    """
    if not len(forgotten) or not per_request:
        return np.empty(0, dtype=np.int64)
    records = data.records
    shares = np.full(len(forgotten), per_request // len(forgotten))
    shares[: per_request % len(forgotten)] += 1
    find = _in_region if isinstance(original, HasRegions) else _nearest
    chosen: list[NDArray[np.int64]] = []
    for i, (record, share) in enumerate(zip(forgotten, shares, strict=True)):
        if share == 0:
            break
        same_label = unseen[records.y[unseen] == records.y[record]]
        free = same_label[~np.isin(same_label, np.concatenate(chosen))] if chosen else same_label
        shuffled = free[(seeds / i).permutation(len(free))]
        chosen.append(find(original, data, record, shuffled, share))
    return np.concatenate(chosen)


def _in_region(
    original: Fitted, data: TrainingSet, record: np.int64, candidates: NDArray[np.int64], n: int
) -> NDArray[np.int64]:
    """Return the first ``n`` candidates in the record's region; the first few candidates usually suffice."""
    few = _of_region(original, data, record, candidates[:TRY_FIRST])
    if len(few) >= n or len(candidates) <= TRY_FIRST:
        return few[:n]
    return _of_region(original, data, record, candidates)[:n]


def _of_region(
    original: Fitted, data: TrainingSet, record: np.int64, candidates: NDArray[np.int64]
) -> NDArray[np.int64]:
    assert isinstance(original, HasRegions)  # noqa: S101 - narrows the type for mypy; the caller has checked it
    regions = original.region(data.records.x[np.append(candidates, record)])
    same: NDArray[np.bool_] = regions[:-1] == regions[-1]
    return candidates[same]


def _nearest(
    _: Fitted, data: TrainingSet, record: np.int64, candidates: NDArray[np.int64], n: int
) -> NDArray[np.int64]:
    distance = _standardized_distance(data.original, record, candidates)
    near = np.arange(len(candidates))
    if n < len(candidates):
        near = np.flatnonzero(distance <= np.partition(distance, n - 1)[n - 1])
    return candidates[near[np.argsort(distance[near], kind="stable")[:n]]]


def _standardized_distance(
    original: TrainingSet, record: np.int64, candidates: NDArray[np.int64]
) -> NDArray[np.float64]:
    x, spread = original.records.x, original.spread
    gap = (x[candidates] - x[record]) / np.where(spread > 0, spread, 1.0)
    return np.asarray(np.sqrt((gap**2).sum(axis=tuple(range(1, gap.ndim)))))
