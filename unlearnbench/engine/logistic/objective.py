"""The objective of logistic regression, its gradient and its Hessian, for many models over the same rows.

A model is a matrix V (m, D) over rows x (D,) whose last entry is 1. It minimizes over its records i

    sum_i -log softmax(Q V x_i)[y_i]  +  1/2 sum_ad penalty_d V_ad^2,       penalty = 1 / c, 0 for the intercept.

Q (C, m), m = C - 1, leaves out a shift of all logits, which a softmax ignores. With two classes Q = (0, 1)', the usual
single logit. With more classes its columns are an orthonormal basis of the vectors that sum to zero: then |Q V| = |V|,
and Q V is the optimum of the symmetric multinomial problem. With P_i = softmax(Q V x_i) the derivatives are

    g = sum_i Q' (P_i - e_{y_i}) x_i' + penalty V
    H = sum_i S_i (x) x_i x_i' + penalty,               S_i = Q' (diag P_i - P_i P_i') Q.

Every product is a matmul over a leading axis of models, with one shape per model: BLAS computes a model in the same way
whichever other models there are, so its bits do not depend on them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Objective:
    """The records over which the sum is taken.

    Records are columns, so that the products over records read memory in order.
    """

    rows: Floats
    """(D, n): the transposed features; the last row is ones, for the intercept."""
    labels: Ints
    """(n,): the classes, in range(C)."""
    n_classes: int
    """C, more than 1."""

    @classmethod
    def of(cls, x: Floats, labels: Ints, n_classes: int) -> Objective:
        """Take features (n, d) and append the intercept's column."""
        return cls(with_ones(x), labels, n_classes)

    @cached_property
    def basis(self) -> Floats:
        """Q (C, m), see above."""
        return basis(self.n_classes)

    @cached_property
    def _targets(self) -> Floats:
        """Q' e_y for every record, (m, n)."""
        return np.ascontiguousarray(self.basis[self.labels].T)

    @property
    def size(self) -> int:
        """The number of free weights p = m D."""
        return (self.n_classes - 1) * len(self.rows)

    def posteriors(self, weights: Floats) -> Floats:
        """Return P (B, C, n) of models (B, m, D)."""
        # All in one array. The largest logit is subtracted first, so that no exponential overflows.
        shares = self.basis @ weights @ self.rows
        shares -= shares.max(axis=1, keepdims=True)
        np.exp(shares, out=shares)
        shares /= shares.sum(axis=1, keepdims=True)
        return shares

    def gradient(self, weights: Floats, removed: Ints, penalty: Floats) -> Floats:
        """Return g (B, m, D) of models (B, m, D), each without its records ``removed`` (B, r), ``penalty`` (B, D).

        The residuals of removed records are set to 0, so that all models multiply with the same rows.
        """
        residuals = self._fitted(weights) - self._targets
        np.put_along_axis(residuals, removed[:, None, :], 0.0, axis=2)
        return np.asarray(residuals @ self.rows.T + weights * penalty[:, None, :])

    def _fitted(self, weights: Floats) -> Floats:
        """Return Q'P (B, m, n)."""
        if self.n_classes > 2:
            return np.asarray(self.basis.T @ self.posteriors(weights))
        logits = weights @ self.rows  # two classes: the logistic function, half the work of a softmax
        with np.errstate(over="ignore"):  # exp(-z) = inf is a probability of 0
            return np.asarray(1.0 / (1.0 + np.exp(-logits)))

    def curvatures(self, weights: Floats) -> Floats:
        """Return S (m, m, n) of one model (m, D)."""
        q, shares = self.basis, self.posteriors(weights[None])[0]
        mean = q.T @ shares
        return np.asarray((q.T[:, None, :] * q.T[None, :, :]) @ shares - mean[:, None] * mean[None])

    def hessian(self, weights: Floats, removed: Ints, penalty: Floats) -> Floats:
        """Return H (p, p) of one model (m, D) without records ``removed`` (r,), ``penalty`` (D,)."""
        curvatures = self.curvatures(weights)
        curvatures[:, :, removed] = 0.0
        # Block (a, b) is sum_i S_i[a, b] x_i x_i'; the blocks are symmetric in a and b.
        m, d = weights.shape
        h = np.empty((m, d, m, d))
        weighted = np.empty_like(self.rows)  # one buffer for all blocks: allocating took half of the time
        for a in range(m):
            for b in range(a, m):
                h[a, :, b] = h[b, :, a] = np.multiply(self.rows, curvatures[a, b], out=weighted) @ self.rows.T
            h[a, :, a] += np.diag(penalty)
        return h.reshape(m * d, m * d)


def with_ones(x: Floats) -> Floats:
    """Return features (n, d) transposed, with a last row of ones for the intercept, (d + 1, n)."""
    rows = np.ones((x.shape[1] + 1, len(x)))
    rows[:-1] = x.T
    return rows


def basis(n_classes: int) -> Floats:
    """Return Q (C, C - 1): (0, 1)' for two classes, else Helmert's orthonormal columns, each summing to zero."""
    if n_classes == 2:
        return np.array([[0.0], [1.0]])
    k = np.arange(1, n_classes)
    columns = np.where(np.arange(n_classes)[:, None] < k, 1.0, 0.0)
    columns[k, k - 1] = -k
    return np.asarray(columns / np.sqrt(k * (k + 1)))
