"""Logistic regression with records left out: many left-out sets of one base, solved to the optimum together.

Notation and objective: :mod:`unlearnbench.engine.logistic.objective`. The base is solved by Newton's method. A model
without the records R starts at the base's optimum and takes quasi-Newton steps from the inverse of the base's Hessian H
less those records' terms: with S_j = L_j L_j' and U = [L_j (x) x_j for j in R], by the formula of Woodbury (1950),

    A = (H - U U')^-1 = H^-1 + F F',       F = T (1 - U'T)^(-1/2),       T = H^-1 U.

With a fixed A each step multiplies the error by the share that the Hessian changes on the way from one optimum to the
other, from a thousandth (one record of 2,000 with 14 features) to a third (ten of 1,500 with 64 features and ten
classes); BFGS learns that change on the way. A model that gets no nearer is left to Newton's method.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from unlearnbench.engine.logistic.direction import Directions
from unlearnbench.engine.logistic.newton import Newton, Optimum, inverse
from unlearnbench.engine.logistic.objective import Objective

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_SPARE = 100.0  # how far below the tolerance to go: at the speed of these steps that costs one or two more
_PATIENCE = 40  # quasi-Newton steps; three to ten are usual
_BLOCK = 2**18  # floats in the largest array of a block of models, 2 MiB
_NOBODY = np.empty(0, dtype=np.int64)


class Solved:
    """K models on their way: ``weights`` (K, m, D), the largest component of each mean gradient, and steps taken."""

    def __init__(self, start: Floats, count: int) -> None:
        self.weights = np.repeat(start[None], count, axis=0)
        self.gradient = np.full(count, np.inf)
        self.steps = np.zeros(count, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class SolvedBase:
    """The optimum for all records of an objective, from which models without some of them are reached.

    ``penalty`` (D,) · ``tol`` is the largest component of the mean gradient that counts as an optimum; all models are
    taken further, but whether they got there is for the caller to see · ``max_steps`` bounds Newton's method.
    """

    objective: Objective
    penalty: Floats
    tol: float
    max_steps: int
    optimum: Optimum

    @classmethod
    def of(cls, objective: Objective, penalty: Floats, start: Floats, tol: float, max_steps: int) -> SolvedBase:
        """Solve for all records from ``start`` (m, D) on."""
        optimum = Newton(objective, _NOBODY, penalty).solve(start, tol / _SPARE, max_steps)
        return cls(objective, penalty, tol, max_steps, optimum)

    def without(self, gone: Sequence[Ints], penalty: Floats) -> Solved:
        """Solve K models, each without the records at its places ``gone`` (r,) and with its own ``penalty`` (K, D)."""
        solved = Solved(self.optimum.weights, len(gone))
        for block in self._blocks(gone):
            self._descend(solved, block, np.stack([gone[k] for k in block]), penalty[block])
        for k in np.flatnonzero(~(solved.gradient <= self.tol / _SPARE)).tolist():
            newton = Newton(self.objective, gone[k], penalty[k])
            alone = newton.solve(self.optimum.weights, self.tol / _SPARE, self.max_steps)
            solved.weights[k], solved.gradient[k], solved.steps[k] = alone.weights, alone.gradient, alone.steps
        return solved

    def _blocks(self, gone: Sequence[Ints]) -> Iterator[Ints]:
        """Cut the models into blocks that leave out equally many records and stay in cache."""
        (m, d), n = self.optimum.weights.shape, len(self.objective.labels)
        counts = np.array([len(places) for places in gone])
        for r in np.unique(counts):
            same = np.flatnonzero(counts == r)
            size = max(1, _BLOCK // max((m + 1) * n, m * d * int(r) * m))
            yield from (same[first : first + size] for first in range(0, len(same), size))

    def _descend(self, solved: Solved, going: Ints, gone: Ints, penalty: Floats) -> None:
        """Take the models ``going`` (B,), without ``gone`` (B, r), as far as they get nearer by quasi-Newton steps.

        The first step is always taken: however little a record matters, its deletion leaves a trace.
        """
        count, r = len(self.objective.labels) - gone.shape[1], gone.shape[1]
        directions: Directions | None = None
        while True:
            gradient = self.objective.gradient(solved.weights[going], gone, penalty)
            before, size = solved.gradient[going], np.abs(gradient).max(axis=(1, 2)) / count
            steps = solved.steps[going]
            on = (self.tol / _SPARE < size) & (size < before) & (steps < _PATIENCE) | (steps == 0) & (r > 0)
            solved.gradient[going] = size
            going, gone, penalty = going[on], gone[on], penalty[on]
            if not len(going):
                return
            directions = directions or Directions(self._inverse, self._downdate(gone))
            step = directions.next(gradient.reshape(len(on), -1), on)
            solved.weights[going] -= step.reshape(-1, *gradient.shape[1:])
            solved.steps[going] += 1

    @cached_property
    def _inverse(self) -> Floats:
        """H^-1 (p, p) at or near the optimum."""
        near = self.optimum.near_inverse
        return inverse(self.objective.hessian(self.optimum.weights, _NOBODY, self.penalty)) if near is None else near

    @cached_property
    def _curvatures(self) -> Floats:
        """S of every record, (n, m, m)."""
        return np.ascontiguousarray(np.moveaxis(self.objective.curvatures(self.optimum.weights), -1, 0))

    def _downdate(self, gone: Ints) -> Floats:
        """Return F (B, p, r m), or nothing (B, p, 0) where it would have more than half as many columns as rows."""
        (count, r), (m, d) = gone.shape, self.optimum.weights.shape
        if r == 0 or (r > 1 and 2 * r * m > m * d):
            return np.zeros((count, m * d, 0))
        x = self.objective.rows.T[gone]  # (B, r, D)
        value, vector = np.linalg.eigh(self._curvatures[gone])
        root = vector * np.sqrt(np.maximum(value, 0.0))[..., None, :]  # L (B, r, m, m)
        u = (root[:, :, :, None, :] * x[:, :, None, :, None]).reshape(count, r, m * d, m)
        # H^-1 (L (x) x) = (H^-1 (1 (x) x)) L: the first product is m times cheaper than one with U
        t = (x @ self._inverse.reshape(m * d * m, d).T).reshape(count, r, m * d, m) @ root
        u, t = (np.ascontiguousarray(np.moveaxis(v, 1, 2)).reshape(count, m * d, r * m) for v in (u, t))
        value, vector = np.linalg.eigh(np.eye(r * m) - np.swapaxes(u, 1, 2) @ t)
        return np.asarray(t @ (vector / np.sqrt(np.maximum(value, np.finfo(np.float64).eps))[:, None, :]))
