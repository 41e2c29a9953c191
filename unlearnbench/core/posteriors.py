"""Log-posteriors, the only output of a model: natural logarithms, float64, shape (n, n_classes)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

FLOOR = 1e-45
"""The smallest probability distinguished from zero, near the smallest positive float32. Trees give exact zeros."""
NORMALIZED = 1e-5
"""How much the posteriors of a row may differ from 1 in sum: more than the rounding of single precision."""


def log_of(posteriors: ArrayLike) -> NDArray[np.float64]:
    """Return the logarithm of probabilities, floored at :data:`FLOOR` so that it is finite."""
    return np.asarray(np.log(np.maximum(np.asarray(posteriors, dtype=np.float64), FLOOR)))


def fault_of(answer: NDArray[np.generic], shape: tuple[int, ...]) -> str:
    """Return what is wrong with log-posteriors (..., C) that a plug-in gave, "" where nothing is.

    They must be real floating-point numbers of this shape, finite, and the posteriors of a row must sum to 1.
    """
    if answer.dtype.kind != "f":
        return f"they are of type {answer.dtype}"
    if answer.shape != shape:
        return f"they are of shape {answer.shape}, not {shape}"
    if n := np.count_nonzero(~np.isfinite(answer)):
        return f"{n} are not finite; floor zeros by log_of"
    with np.errstate(over="ignore"):  # an infinite sum is no 1
        sums = np.exp(answer).sum(axis=-1)
    if len(wrong := np.argwhere(np.abs(sums - 1) > NORMALIZED)):
        return f"the posteriors of row {wrong[0][-1]} sum to {sums[tuple(wrong[0])]:.6g}, not 1"
    return ""


def log_softmax(logits: ArrayLike) -> NDArray[np.float64]:
    """Return log-posteriors of logits along the last axis, floored like :func:`log_of`."""
    z = np.asarray(logits, dtype=np.float64)
    z = z - z.max(axis=-1, keepdims=True)
    return np.asarray(np.maximum(z - np.log(np.exp(z).sum(axis=-1, keepdims=True)), np.log(FLOOR)))


def log_mean(log_posteriors: NDArray[np.float64], weights: ArrayLike | None = None) -> NDArray[np.float64]:
    """Return the log of the weighted mean posterior over the first axis: (S, n, C) -> (n, C)."""
    return log_of(np.average(np.exp(log_posteriors), axis=0, weights=None if weights is None else np.asarray(weights)))


def spread_classes(posteriors: NDArray[np.float64], classes: NDArray[np.int64], n_classes: int) -> NDArray[np.float64]:
    """Give every class a column: ``posteriors`` (n, k) over ``classes`` (k,) becomes (n, n_classes).

    A class that does not occur in a training subset gets probability zero.
    """
    full = np.zeros((len(posteriors), n_classes))
    full[:, np.asarray(classes, dtype=np.int64)] = posteriors
    return full


def true_class(log_posteriors: NDArray[np.float64], label: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the log-posterior of each row's own label: (n, C), (n,) -> (n,)."""
    return log_posteriors[np.arange(len(label)), label]


def log_odds(log_posteriors: NDArray[np.float64], label: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return log(p / (1 - p)) of each row's own label: (n, C), (n,) -> (n,).

    1 - p is the sum of the other classes' posteriors, so that it keeps its precision where p is nearly 1 (the "logit
    scaling" of Carlini et al. 2022, arXiv 2112.03570).
    """
    others = log_posteriors.copy()
    others[np.arange(len(label)), label] = -np.inf
    return true_class(log_posteriors, label) - log_sum(others)


def log_sum(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return log(sum(exp(values))) over the last axis, at least the logarithm of :data:`FLOOR`."""
    top = np.maximum(values.max(axis=-1), np.log(FLOOR))
    return np.asarray(top + log_of(np.exp(values - top[..., None]).sum(axis=-1))).clip(np.log(FLOOR))
