"""Standardized features inside a model, and whose statistics an unlearned model uses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.records import TrainingSet
from unlearnbench.engine.precision import require_held
from unlearnbench.engine.sklearn_model import as_table

Scaler = Literal["original", "refit"]
"""Whose statistics scale an unlearned model's features: those of the original's training set, or of its own records.

With ``original`` both models see the same scaled features, so only the deleted record's loss is removed; its share in
the means and deviations stays. ``refit`` removes that too, and changes the scaled features of every record a little.
"""

FARTHEST = float(np.sqrt(np.finfo(np.float32).max))
"""Deviations from the mean that a feature may be away, 1.8e19: the largest whose square float32 holds, for networks and
their optimizers."""


@dataclass(frozen=True, eq=False)
class Standardizer:
    """Shifts and scales features (d,) to mean 0 and variance 1 on the records it was fitted to."""

    mean: NDArray[np.float64]
    """(d,): what is subtracted."""
    scale: NDArray[np.float64]
    """(d,): what it is then divided by."""

    @classmethod
    def of(cls, x: NDArray[np.float64]) -> Standardizer:
        """Fit to rows ``x`` (n, ...), n > 0; a feature that is constant up to rounding is shifted only.

        UserError where the square of a feature is too large for float64.
        """
        table = as_table(x)
        with np.errstate(over="ignore", invalid="ignore"):
            mean, scale = table.mean(axis=0), table.std(axis=0)
        if not np.isfinite(scale).all():
            largest = np.take_along_axis(table, np.abs(table).argmax(axis=0, keepdims=True), axis=0)
            require_held(largest, np.isfinite(scale)[np.newaxis], "too large to standardize")
        constant = scale <= 10 * np.finfo(np.float64).eps * np.abs(mean)
        return cls(mean, np.where(constant, 1.0, scale))

    @classmethod
    def for_training(cls, data: TrainingSet, scaler: Scaler) -> Standardizer:
        """Fit to the original's training set, its deleted records included, or to the records kept in ``data``."""
        return cls.of(data.records.x[data.original.ids] if scaler == "original" else data.x)

    def __call__(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return ``x`` (n, ...) as standardized rows (n, d); UserError where a feature is farther off than FARTHEST."""
        table = as_table(x)
        with np.errstate(over="ignore"):
            scaled = (table - self.mean) / self.scale
        if not (scaled.min(initial=0) >= -FARTHEST and scaled.max(initial=0) <= FARTHEST):
            require_held(table, np.abs(scaled) <= FARTHEST, "too far from the values that the model was trained on")
        return scaled
