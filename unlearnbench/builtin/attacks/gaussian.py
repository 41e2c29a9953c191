"""Normal distributions of the answers of reference models, one for each record (Carlini et al. 2022)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Chosen = NDArray[np.bool_]

Center = Literal["median", "mean"]
"""What the center of a normal distribution is estimated by."""
SMALLEST = 1e-30
"""Added to a standard deviation, which may be zero."""


@dataclass(frozen=True, eq=False)
class Normals:
    """A normal distribution for each of n records."""

    center: Numbers
    """Median or mean (n,)."""
    deviation: Numbers
    """Standard deviation (n,), divided by the number of models, plus :data:`SMALLEST`."""

    @classmethod
    def of(cls, answers: Numbers, chosen: Chosen, center: Center) -> Normals:
        """Fit them to the ``chosen`` (n, N) of the answers (n, N); a record without any gets not-a-number."""
        mean = masked_mean(answers, chosen)
        square = np.where(chosen, (answers - mean[:, None]) ** 2, 0.0).sum(axis=1)
        deviation = np.sqrt(square / count(chosen)) + SMALLEST
        return cls(mean if center == "mean" else masked_median(answers, chosen), deviation)

    def standardized(self, x: Numbers) -> Numbers:
        """Return by how many standard deviations ``x`` (n,) lies above the center."""
        return (x - self.center) / self.deviation

    def log_density(self, x: Numbers) -> Numbers:
        """Return the logarithm of the density at ``x`` (n,)."""
        return np.asarray(-0.5 * self.standardized(x) ** 2 - np.log(self.deviation) - 0.5 * np.log(2 * np.pi))


def count(chosen: Chosen) -> Numbers:
    """Return how many models are chosen for each record (n,), not-a-number where none is."""
    n = chosen.sum(axis=1).astype(np.float64)
    return np.where(n > 0, n, np.nan)


def masked_mean(answers: Numbers, chosen: Chosen) -> Numbers:
    """Return the mean (n,) of the chosen answers of each record."""
    return np.asarray(np.where(chosen, answers, 0.0).sum(axis=1) / count(chosen))


def masked_median(answers: Numbers, chosen: Chosen) -> Numbers:
    """Return the median (n,) of the chosen answers of each record."""
    ascending = np.sort(np.where(chosen, answers, np.inf), axis=1)
    n, row = chosen.sum(axis=1), np.arange(len(chosen))
    middle = 0.5 * (ascending[row, np.maximum(n - 1, 0) // 2] + ascending[row, np.minimum(n // 2, chosen.shape[1] - 1)])
    return np.where(n > 0, middle, np.nan)
