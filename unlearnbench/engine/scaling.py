"""Standardized features inside a model, and whose statistics an unlearned model uses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.records import TrainingSet
from unlearnbench.engine.sklearn_model import as_table

Scaler = Literal["original", "refit"]
"""Whose statistics scale an unlearned model's features: those of the original's training set, or of its own records.

With ``original`` both models see the same scaled features, so only the deleted record's loss is removed; its share in
the means and deviations stays. ``refit`` removes that too, and changes the scaled features of every record a little.
"""


@dataclass(frozen=True, eq=False)
class Standardizer:
    """Shifts and scales features (d,) to mean 0 and variance 1 on the records it was fitted to."""

    mean: NDArray[np.float64]
    """(d,): what is subtracted."""
    scale: NDArray[np.float64]
    """(d,): what it is then divided by."""

    @classmethod
    def of(cls, x: NDArray[np.float64]) -> Standardizer:
        """Fit to rows ``x`` (n, ...), n > 0; a feature that is constant up to rounding is shifted only."""
        table = as_table(x)
        mean, scale = table.mean(axis=0), table.std(axis=0)
        constant = scale <= 10 * np.finfo(np.float64).eps * np.abs(mean)
        return cls(mean, np.where(constant, 1.0, scale))

    @classmethod
    def for_training(cls, data: TrainingSet, scaler: Scaler) -> Standardizer:
        """Fit to the original's training set, its deleted records included, or to the records kept in ``data``."""
        return cls.of(data.records.x[data.original.ids] if scaler == "original" else data.x)

    def __call__(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return ``x`` (n, ...) as standardized rows (n, d)."""
        return (as_table(x) - self.mean) / self.scale
