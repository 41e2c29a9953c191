"""KLOM: the divergence of two samples of margins, by histograms (Georgiev et al. 2024, arXiv 2410.23232)."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Numbers = NDArray[np.float64]

BINS: Final = 20
LARGEST_MARGIN: Final = 100.0
FLOOR: Final = 1e-5
"""The least share of the second sample in a bin that the first one fills."""


def klom(first: ArrayLike, second: ArrayLike) -> Numbers:
    """Return KL(first || second) of the margins (n, N) and (n, M) of each record (n,), natural logarithm.

    Histograms have 20 bins of equal width on the joint range, after clipping to +-100. As in the authors' code the
    largest margin of both samples is in no bin, and shares of the second sample that are raised to 1e-5 are normalized
    again. Where a sample has no other margin, it is in the last bin.
    """
    pairs = zip(_clipped(first), _clipped(second), strict=True)
    return np.array([_divergence(*pair) for pair in pairs], dtype=np.float64)


def _clipped(margins: ArrayLike) -> Numbers:
    return np.clip(np.asarray(margins, dtype=np.float64), -LARGEST_MARGIN, LARGEST_MARGIN)


def _divergence(first: Numbers, second: Numbers) -> float:
    low, high = min(first.min(), second.min()), max(first.max(), second.max())
    edges = np.linspace(low, high if high > low else low + 1, BINS + 1)
    p, q = _shares(first, edges), _shares(second, edges)
    filled = p > 0
    q[filled] = np.maximum(q[filled], FLOOR)
    return float((p[filled] * np.log(p[filled] / (q[filled] / q.sum()))).sum())


def _shares(sample: Numbers, edges: Numbers) -> Numbers:
    place = np.searchsorted(edges, sample, side="right") - 1
    inside = place[place < BINS] if (place < BINS).any() else np.full(len(place), BINS - 1)
    return np.bincount(inside, minlength=BINS) / len(inside)
