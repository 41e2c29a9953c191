"""Logistic regression whose constants are known, as certificates need them: bounded records, every weight penalized.

Records are standardized, a 1 is appended for the intercept, and all is divided by the square root of their number; a
record of norm above 1 is then shrunk to norm 1. With signs s in {-1, 1} a model w (D,) minimizes

    mean_i log(1 + exp(-s_i w'x_i))  +  penalty / 2 |w|^2  +  tilt'w / n.

Two classes are one such model; more are one each, against all others. The gradient of a record's loss has norm at most
1, so sqrt(K) for K models together, and the curvature of the mean lies between ``penalty`` and 1/4 + ``penalty``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.posteriors import log_softmax
from unlearnbench.core.records import TrainingSet
from unlearnbench.engine.scaling import Standardizer
from unlearnbench.engine.sklearn_model import require_records

Floats = NDArray[np.float64]

_STEPS, _HALVINGS = 200, 60
"""Of Newton's method; both are far more than it takes."""


@dataclass(frozen=True)
class Bounded:
    """How records become rows of norm at most 1."""

    standardizer: Standardizer
    n_classes: int

    def rows(self, x: Floats) -> Floats:
        """Return rows (n, D) of records (n, ...)."""
        z = self.standardizer(x)
        rows = np.column_stack([z, np.ones(len(z))]) / np.sqrt(z.shape[1] + 1)
        return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1.0))

    def signs(self, y: NDArray[np.int64]) -> Floats:
        """Return the signs (K, n) of labels, K = 1 for two classes, else one row for each."""
        positive = np.array([1]) if self.n_classes == 2 else np.arange(self.n_classes)
        return np.where(y == positive[:, None], 1.0, -1.0)


@dataclass(frozen=True, eq=False)
class Minimum:
    """Where a loss is least."""

    weights: Floats
    """(K, D)."""
    passes: float
    """How many steps of Newton's method it took: each goes once over all records. Of K models the mean."""


@dataclass(frozen=True, eq=False)
class Problem:
    """K models (K, D) to fit to n records."""

    rows: Floats
    """(n, D), of norm at most 1."""
    signs: Floats
    """(K, n), -1 or 1."""
    penalty: float
    tilt: Floats | float = 0.0
    """(K, D): the perturbation of the loss; 0 for none."""

    @classmethod
    def of(cls, data: TrainingSet, bounded: Bounded, penalty: float, tilt: Floats | float = 0.0) -> Problem:
        """Take the records of ``data``; UserError for none."""
        require_records(data)
        return cls(bounded.rows(data.x), bounded.signs(data.y), penalty, tilt)

    @property
    def shape(self) -> tuple[int, int]:
        """The shape (K, D) of the weights."""
        return len(self.signs), self.rows.shape[1]

    @property
    def n(self) -> int:
        """The number of records."""
        return len(self.rows)

    @property
    def smoothness(self) -> float:
        """The largest curvature that the mean loss may have."""
        return 0.25 + self.penalty

    @property
    def lipschitz(self) -> float:
        """The largest norm that the gradient of a record's loss may have, over all models."""
        return float(np.sqrt(len(self.signs)))

    def losses(self, weights: Floats) -> Floats:
        """Return the mean loss (K,) of each model."""
        data = np.logaddexp(0, -self.signs * (weights @ self.rows.T)).mean(axis=1)
        return np.asarray(data + ((self.penalty / 2 * weights + self.tilt / self.n) * weights).sum(axis=1))

    def gradient(self, weights: Floats) -> Floats:
        """Return the gradient (K, D) of each mean loss."""
        return np.asarray((self.pull(weights) + self.tilt) / self.n + self.penalty * weights)

    def pull(self, weights: Floats) -> Floats:
        """Return the gradient (K, D) of the sum of the records' own losses, of which there may be none."""
        from scipy.special import expit

        return np.asarray(-self.signs * expit(-self.signs * (weights @ self.rows.T)) @ self.rows)

    def newton_steps(self, weights: Floats) -> Floats:
        """Return the step (K, D) of Newton's method from each model."""
        from scipy.special import expit

        margins = weights @ self.rows.T
        curvatures = expit(margins) * expit(-margins) / self.n
        ridge = self.penalty * np.eye(self.shape[1])
        pairs = zip(curvatures, self.gradient(weights), strict=True)
        return np.stack([-np.linalg.solve((self.rows.T * c) @ self.rows + ridge, g) for c, g in pairs])

    def optimum(self) -> Minimum:
        """Return the least loss, as exactly as rounding allows."""
        parts = [each._minimized() for each in self._each()]
        return Minimum(
            np.concatenate([each.weights for each in parts]), sum(each.passes for each in parts) / len(parts)
        )

    def _each(self) -> list[Problem]:
        tilt = np.broadcast_to(self.tilt, self.shape)
        return [replace(self, signs=self.signs[k : k + 1], tilt=tilt[k : k + 1]) for k in range(len(self.signs))]

    def _minimized(self) -> Minimum:
        """Return the optimum of the one model, by Newton's method, its steps halved until the loss does not rise."""
        weights, size, steps = np.zeros(self.shape), np.inf, 0
        while steps < _STEPS:
            new_size = float(np.linalg.norm(self.gradient(weights)))
            if new_size < 1e-6 and new_size > size / 4:  # near the optimum each step squares the error, until rounding
                break
            size, weights, steps = new_size, self._descended(weights), steps + 1
        return Minimum(weights, steps)

    def _descended(self, weights: Floats) -> Floats:
        step, loss = self.newton_steps(weights), self.losses(weights)[0]
        highest = loss + 8 * np.finfo(np.float64).eps * abs(loss)  # near the optimum, rounding hides what is gained
        lengths = 0.5 ** np.arange(_HALVINGS)
        return next((there for t in lengths if self.losses(there := weights + t * step)[0] <= highest), weights)


@dataclass(frozen=True, eq=False)
class FittedBounded:
    """Fitted models that answer together."""

    weights: Floats
    """(K, D)."""
    bounded: Bounded

    def log_posteriors(self, x: Floats) -> Floats:
        """Return log-posteriors (n, n_classes): logistic for two classes, else shares of the models' posteriors."""
        logits = self.bounded.rows(x) @ self.weights.T
        if self.bounded.n_classes == 2:
            return log_softmax(np.column_stack([0 * logits, logits]))
        return log_softmax(-np.logaddexp(0, -logits))
