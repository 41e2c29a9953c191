"""Forgetting quality: how well answers of unlearned and of retrained models are told apart, record by record.

The metric of the NeurIPS 2023 unlearning competition (Triantafillou et al. 2024, arXiv 2406.09073).
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Numbers = NDArray[np.float64]
Counts = NDArray[np.int64]

DELTA: Final = 1e-5
LARGEST: Final = 50.0
"""The epsilon of samples that are told apart without error, or of which one is far narrower."""
NARROW: Final = 0.01
"""A sample whose range is a smaller share of the other's is far narrower."""
PER_UNIT: Final = 100
"""Thresholds in a range of 1."""
BUFFER: Final = 2.0
"""How far beyond the ends of the narrower sample thresholds go."""
BIN: Final = 0.5
"""Epsilons of one bin of this width count alike, and half as much as those of the bin before."""


def record_qualities(epsilons: ArrayLike, models: int) -> Numbers:
    """Return 2^-b for each epsilon (n,), where b = 0, 1, ... is its bin; higher is better.

    The forgetting quality is their mean over records. A perfect method does not reach 1.

    Epsilons whose bin ends above ceil(log(models - 1)), about the most that so many models can show, count 0. So values
    of different numbers of models cannot be compared.
    """
    number = np.floor(np.asarray(epsilons, dtype=np.float64) / BIN)
    shown = (number + 1) * BIN <= math.ceil(math.log(models - 1))
    return np.where(shown, 2.0**-number, 0.0)


def told_apart(unlearned: ArrayLike, retrained: ArrayLike) -> Numbers:
    """Return the epsilon (n,), from 0 to 50, of the best test that tells answers (n, N) from answers (n, N).

    For N models each, tests are single thresholds, above which the sample with the larger median is guessed, and
    intervals, in which the narrower one is. Tests with exactly one error rate of 0 are left out, as in the authors'
    code. Where none is left, epsilon is 0.
    """
    one, other = (np.asarray(answers, dtype=np.float64) for answers in (unlearned, retrained))
    table = _epsilons(one.shape[1])
    return np.array([_told_apart(*pair, table) for pair in zip(one, other, strict=True)], dtype=np.float64)


def _told_apart(unlearned: Numbers, retrained: Numbers, table: Numbers) -> float:
    ranges = np.ptp(unlearned), np.ptp(retrained)
    if min(ranges) < NARROW * max(ranges):
        return LARGEST
    retrained_above = np.median(retrained) > np.median(unlearned)
    above, below = (retrained, unlearned) if retrained_above else (unlearned, retrained)
    narrow, wide = (below, above) if np.ptp(above) >= np.ptp(below) else (above, below)
    rates = _by_threshold(above, below), _by_interval(narrow, wide)
    return float(max(table[hits, false_hits].max(initial=0.0) for hits, false_hits in rates))


def _epsilons(models: int) -> Numbers:
    """Return epsilon by the number of hits and of false hits (N + 1, N + 1); 0 for a test that is left out."""
    hits, false_hits = np.indices((models + 1, models + 1))
    fnr, fpr = 1 - hits / models, false_hits / models
    with np.errstate(divide="ignore", invalid="ignore"):  # tests that are left out, and rates above 1 - delta
        bounds = np.log(1 - DELTA - fpr) - np.log(fnr), np.log(1 - DELTA - fnr) - np.log(fpr)
    epsilon: Numbers = np.fmax(np.fmax(*bounds), 0.0)
    epsilon[(hits == models) | (false_hits == 0)] = 0.0
    epsilon[models, 0] = LARGEST
    return epsilon


def _by_threshold(above: Numbers, below: Numbers) -> tuple[Counts, Counts]:
    """Return how many of each sample are at or above each of the thresholds (k,)."""
    low, high = min(above.min(), below.min()), max(above.max(), below.max())
    thresholds = np.linspace(low, high, math.ceil((high - low) * PER_UNIT))
    hits, false_hits = (len(sample) - _count(sample, thresholds, "left") for sample in (above, below))
    return hits, false_hits


def _by_interval(narrow: Numbers, wide: Numbers) -> tuple[Counts, Counts]:
    """Return how many of each sample are in intervals (m,): each pair of counts at least once.

    Right ends are k numbers about the largest of the narrower sample; the left ends of a right end are k numbers about
    the point that is the range of that sample below it. So left ends are 2 k - 1 numbers in equal steps, and right end
    i has those from i to i + k - 1. Ends between the same two answers give the same counts.
    """
    k = math.ceil(2 * BUFFER * PER_UNIT)
    right = np.linspace(narrow.max() - BUFFER, narrow.max() + BUFFER, k)
    left = np.linspace(narrow.min() - 2 * BUFFER, narrow.min() + 2 * BUFFER, 2 * k - 1)
    up_to = np.stack([_count(sample, right, "right") for sample in (narrow, wide)])
    below = np.stack([_count(sample, left, "left") for sample in (narrow, wide)])
    (first, last), (lowest, highest) = _runs(up_to), _runs(below)
    places = np.nonzero((highest >= first[:, None]) & (lowest < last[:, None] + k))
    hits, false_hits = np.maximum(up_to[:, first[places[0]]] - below[:, lowest[places[1]]], 0)
    return hits, false_hits


def _runs(counts: Counts) -> tuple[Counts, Counts]:
    """Return the first and the last place (m,) of each run of equal columns of the counts (2, k)."""
    first = np.flatnonzero(np.append(True, (np.diff(counts, axis=1) != 0).any(axis=0)))
    return first, np.append(first[1:], counts.shape[1]) - 1


def _count(sample: Numbers, points: Numbers, side: str) -> Counts:
    """Return how many of a sample are below each point; ``side`` right counts those at it too."""
    return np.asarray(np.searchsorted(np.sort(sample), points, side=side))  # type: ignore[call-overload]  # left or right
