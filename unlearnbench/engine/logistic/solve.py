"""Logistic regression with records left out: many left-out sets of one base, solved together, and queried together.

Notation and objective: :mod:`unlearnbench.engine.logistic.objective`. The base is solved by Newton's method. A model
without the records R starts at the base's optimum and takes quasi-Newton steps from the inverse of the base's Hessian H
less those records' terms: with S_j = L_j L_j' and U = [L_j (x) x_j for j in R], by the formula of Woodbury (1950),

    A = (H - U U')^-1 = H^-1 + F F',       F = T (1 - U'T)^(-1/2),       T = H^-1 U.

With a fixed A each step multiplies the error by the share that the Hessian changes on the way from one optimum to the
other, from a thousandth (one record of 2,000 with 14 features) to a third (ten of 1,500 with 64 features and ten
classes); BFGS learns that change on the way. A model that gets no nearer is left to Newton's method.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.posteriors import FLOOR, log_softmax
from unlearnbench.engine.logistic.direction import Directions
from unlearnbench.engine.logistic.newton import Newton, Optimum, inverse
from unlearnbench.engine.logistic.objective import Objective, basis, with_ones

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_MARGIN = 100.0  # models are solved to tol / _MARGIN: at this rate of convergence that takes one or two steps more
_PATIENCE = 40  # quasi-Newton steps; three to ten are usual
_BLOCK = 2**18  # floats in the largest array of a block of models, 2 MiB; also logits in a block
_NONE = np.empty(0, dtype=np.int64)


class Solved:
    """K models, changed in place while they are solved."""

    def __init__(self, start: Floats, count: int) -> None:
        self.weights = np.repeat(start[None], count, axis=0)
        """(K, m, D): the weights."""
        self.gradient = np.full(count, np.inf)
        """(K,): the largest component of each mean gradient."""
        self.steps = np.zeros(count, dtype=np.int64)
        """(K,): the number of steps taken."""


@dataclass(frozen=True, eq=False)
class SolvedBase:
    """The optimum for all records of an objective, from which models without some of them are solved."""

    objective: Objective
    """The objective over all records."""
    penalty: Floats
    """(D,): the penalty on each feature's weights."""
    tol: float
    """The largest component of the mean gradient that counts as an optimum.

    Models are solved further than that, as far as rounding allows; the caller checks what was reached.
    """
    max_steps: int
    """The steps of Newton's method at most."""
    optimum: Optimum
    """The optimum for all records."""

    @classmethod
    def of(cls, objective: Objective, penalty: Floats, start: Floats, tol: float, max_steps: int) -> SolvedBase:
        """Solve for all records from ``start`` (m, D) on."""
        optimum = Newton(objective, _NONE, penalty).solve(start, tol / _MARGIN, max_steps)
        return cls(objective, penalty, tol, max_steps, optimum)

    def without(self, removed: Sequence[Ints], penalty: Floats) -> Solved:
        """Solve K models, each without its rows ``removed`` (r,) and with its own ``penalty`` (K, D)."""
        solved = Solved(self.optimum.weights, len(removed))
        for block in self._blocks(removed):
            self._quasi_newton(solved, block, np.stack([removed[k] for k in block]), penalty[block])
        # Models that the quasi-Newton steps did not solve.
        for k in np.flatnonzero(~(solved.gradient <= self.tol / _MARGIN)).tolist():
            newton = Newton(self.objective, removed[k], penalty[k])
            alone = newton.solve(self.optimum.weights, self.tol / _MARGIN, self.max_steps)
            solved.weights[k], solved.gradient[k], solved.steps[k] = alone.weights, alone.gradient, alone.steps
        return solved

    def _blocks(self, removed: Sequence[Ints]) -> Iterator[Ints]:
        """Yield the models in blocks that leave out equally many records and whose arrays fit into the cache."""
        (m, d), n = self.optimum.weights.shape, len(self.objective.labels)
        counts = np.array([len(rows) for rows in removed])
        for r in np.unique(counts):
            same = np.flatnonzero(counts == r)
            size = max(1, _BLOCK // max((m + 1) * n, m * d * int(r) * m))
            yield from (same[first : first + size] for first in range(0, len(same), size))

    def _quasi_newton(self, solved: Solved, models: Ints, removed: Ints, penalty: Floats) -> None:
        """Take quasi-Newton steps with ``models`` (B,), without ``removed`` (B, r), as long as gradients shrink.

        The first step is always taken, even where the gradient is below the goal at once: a deletion changes the model,
        however little.
        """
        count, r = len(self.objective.labels) - removed.shape[1], removed.shape[1]
        directions: Directions | None = None
        while True:
            gradient = self.objective.gradient(solved.weights[models], removed, penalty)
            before, size = solved.gradient[models], np.abs(gradient).max(axis=(1, 2)) / count
            steps = solved.steps[models]
            active = (self.tol / _MARGIN < size) & (size < before) & (steps < _PATIENCE) | (steps == 0) & (r > 0)
            solved.gradient[models] = size
            models, removed, penalty = models[active], removed[active], penalty[active]
            if not len(models):
                return
            directions = directions or Directions(self._inverse, self._downdate(removed))
            step = directions.next(gradient.reshape(len(active), -1), active)
            solved.weights[models] -= step.reshape(-1, *gradient.shape[1:])
            solved.steps[models] += 1

    @cached_property
    def _inverse(self) -> Floats:
        """H^-1 (p, p) at or near the optimum."""
        near = self.optimum.near_inverse
        return inverse(self.objective.hessian(self.optimum.weights, _NONE, self.penalty)) if near is None else near

    @cached_property
    def _curvatures(self) -> Floats:
        """S of every record, (n, m, m)."""
        return np.ascontiguousarray(np.moveaxis(self.objective.curvatures(self.optimum.weights), -1, 0))

    def _downdate(self, removed: Ints) -> Floats:
        """Return F (B, p, r m), or nothing (B, p, 0) where it would have more than half as many columns as rows."""
        (count, r), (m, d) = removed.shape, self.optimum.weights.shape
        if r == 0 or (r > 1 and 2 * r * m > m * d):
            return np.zeros((count, m * d, 0))
        x = self.objective.rows.T[removed]  # (B, r, D)
        value, vector = np.linalg.eigh(self._curvatures[removed])
        # S_j = L_j L_j', by the eigenvalues of S_j
        root = vector * np.sqrt(np.maximum(value, 0.0))[..., None, :]  # L (B, r, m, m)
        u = (root[:, :, :, None, :] * x[:, :, None, :, None]).reshape(count, r, m * d, m)
        # T = H^-1 (L (x) x) = (H^-1 (1 (x) x)) L: the first product is m times cheaper than H^-1 U
        t = (x @ self._inverse.reshape(m * d * m, d).T).reshape(count, r, m * d, m) @ root
        u, t = (np.ascontiguousarray(np.moveaxis(v, 1, 2)).reshape(count, m * d, r * m) for v in (u, t))
        # (1 - U'T)^(-1/2) by its eigenvalues, kept positive
        value, vector = np.linalg.eigh(np.eye(r * m) - np.swapaxes(u, 1, 2) @ t)
        return np.asarray(t @ (vector / np.sqrt(np.maximum(value, np.finfo(np.float64).eps))[:, None, :]))


@dataclass(frozen=True, eq=False)
class LogisticBank:
    """K solved models that answer together."""

    weights: Floats
    """(K, m, D): the weights."""
    classes: Ints
    """The classes that the base has."""
    n_classes: int
    """The number of classes of the data set."""
    standardizer: Callable[[Floats], Floats]
    """Returns the standardized features (n, d) of records (n, ...)."""
    base: SolvedBase
    """What they were solved from. It is referenced here so that it lives, for later requests, as long as they do."""

    def log_posteriors(self, x: Floats, which: Ints) -> Floats:
        """Return the log-posteriors (len(which), n, n_classes) of these members on ``x`` (n, ...).

        Computed from the logits, so that small posteriors keep their digits; classes that the base lacks get the floor.
        """
        rows = with_ones(self.standardizer(x))
        full = np.full((len(which), len(x), self.n_classes), np.log(FLOOR))
        size = max(1, _BLOCK // max(1, len(x) * len(self.classes)))
        for first in range(0, len(which), size):
            part = slice(first, first + size)
            logits = basis(len(self.classes)) @ self.weights[which[part]] @ rows
            full[part, :, self.classes] = log_softmax(np.swapaxes(logits, 1, 2))
        return full
