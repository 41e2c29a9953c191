"""Newton's method for one logistic regression.

Notation and objective: :mod:`unlearnbench.engine.logistic.objective`. A step is shortened until the objective rises
at its end at most a quarter as steeply as it fell at its start. That bounds how far a step overshoots, needs the
gradient only, and allows Newton's full steps near the optimum, where differences of the objective are lost in rounding.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unlearnbench.engine.logistic.objective import Objective

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_CHORD = 0.03  # keep a Hessian while the gradient shrinks this much a step: forming one costs as much as many steps
_SHORTEST = 2.0**-20  # of a Newton step: where even that does not help, rounding limits the result


def inverse(h: Floats) -> Floats:
    """Return the inverse of a positive definite matrix; one that rounding made indefinite gets the least ridge."""
    from scipy.linalg.lapack import dpotrf, dpotri

    ridge, least = 0.0, np.finfo(np.float64).eps * float(np.trace(h)) + np.finfo(np.float64).tiny
    while True:
        factor, failed = dpotrf(h + ridge * np.eye(len(h)) if ridge else h, lower=1)
        if not failed:
            lower = dpotri(factor, lower=1, overwrite_c=1)[0]  # zero above the diagonal
            full = lower + lower.T
            full[np.diag_indices(len(h))] /= 2
            return np.asarray(full)
        ridge = max(10 * ridge, least)


@dataclass(frozen=True, eq=False)
class Optimum:
    """Where Newton's method ended."""

    weights: Floats
    """(m, D): the weights."""
    gradient: float
    """The largest component of the mean gradient there."""
    steps: int
    """The number of steps taken."""
    near_inverse: Floats | None
    """(p, p): the inverse Hessian one or a few steps before the end; None where no step was taken."""


@dataclass(frozen=True, eq=False)
class Newton:
    """The problem of one model."""

    objective: Objective
    """The objective over all records of the base."""
    removed: Ints
    """(r,): the records that the model leaves out."""
    penalty: Floats
    """(D,): the penalty on each feature's weights."""

    def solve(self, start: Floats, goal: float, max_steps: int) -> Optimum:
        """Step from ``start`` (m, D) until no component of the mean gradient exceeds ``goal``, or rounding stops it."""
        weights, gradient = start, self._gradient(start)
        size, before, h_inverse, steps = _largest(gradient), np.inf, None, 0
        while size > max(goal, self._rounding(weights)) and steps < max_steps:
            if h_inverse is None or size > _CHORD * before:
                h_inverse = inverse(self.objective.hessian(weights, self.removed, self.penalty))
            nearer = self._step(weights, gradient, h_inverse)
            if nearer is None:
                break
            weights, gradient = nearer
            size, before, steps = _largest(gradient), size, steps + 1
        return Optimum(weights, size, steps, h_inverse)

    def _gradient(self, weights: Floats) -> Floats:
        """Return the mean gradient (m, D)."""
        total = self.objective.gradient(weights[None], self.removed[None], self.penalty[None])[0]
        return np.asarray(total / self._count)

    @property
    def _count(self) -> int:
        return len(self.objective.labels) - len(self.removed)

    def _rounding(self, weights: Floats) -> float:
        """Return the size of a mean gradient that may be due to rounding alone."""
        terms = np.abs(self.objective.rows).mean(axis=1).max() + np.abs(weights * self.penalty).max() / self._count
        return float(np.finfo(np.float64).eps * terms)

    def _step(self, weights: Floats, gradient: Floats, h_inverse: Floats) -> tuple[Floats, Floats] | None:
        """Return the weights after a step and the gradient there, or None where no step is short enough."""
        full = (h_inverse @ gradient.ravel()).reshape(weights.shape) * self._count
        fall, share = np.vdot(gradient, full), 1.0
        while share > _SHORTEST:
            there = weights - share * full
            new = self._gradient(there)
            if -np.vdot(new, full) <= fall / 4:
                return there, new
            share /= 2
        return None


def _largest(gradient: Floats) -> float:
    return float(np.abs(gradient).max())
