"""Features of the posteriors before and after (Chen et al. 2021).

All functions take probabilities (n, C), not logarithms, and treat rows independently.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Posteriors = NDArray[np.float64]

SortBy = Literal["original", "unlearned", "independent"]
"""The posteriors by which classes are sorted: the original model's (Chen et al. 2021), the unlearned model's (the
re-implementation of Jagielski et al. 2022), or each version's own (that of TC-UMIA, arXiv 2605.01129)."""


def _order(posteriors: Posteriors) -> NDArray[np.int64]:
    """Return the classes of each row by ascending posterior; ties keep the order of the classes."""
    return np.argsort(posteriors, axis=1, kind="stable")


def sort_classes(before: Posteriors, after: Posteriors, by: SortBy) -> tuple[Posteriors, Posteriors]:
    """Sort the classes of each row, so that a feature refers to "the most probable class" and not to "class 3"."""
    order_before = _order(after if by == "unlearned" else before)
    order_after = _order(after) if by == "independent" else order_before
    return np.take_along_axis(before, order_before, axis=1), np.take_along_axis(after, order_after, axis=1)


def direct_concat(before: Posteriors, after: Posteriors) -> Posteriors:
    """Return both posteriors side by side: (n, 2C)."""
    return np.concatenate([before, after], axis=1)


def sorted_concat(before: Posteriors, after: Posteriors, by: SortBy) -> Posteriors:
    """Return both sorted posteriors side by side: (n, 2C)."""
    return direct_concat(*sort_classes(before, after, by))


def direct_diff(before: Posteriors, after: Posteriors) -> Posteriors:
    """Return before - after, class by class: (n, C)."""
    return before - after


def sorted_diff(before: Posteriors, after: Posteriors, by: SortBy) -> Posteriors:
    """Return before - after of the sorted posteriors: (n, C)."""
    return direct_diff(*sort_classes(before, after, by))


def euclidean(before: Posteriors, after: Posteriors) -> Posteriors:
    """Return the Euclidean distance between both posteriors: (n, 1)."""
    return np.asarray(np.linalg.norm(before - after, axis=1, keepdims=True))
