"""Rewind to delete: go back to a checkpoint of training, and on from there without the records."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf
from typing import Annotated

import numpy as np
from pydantic import Field, PositiveFloat, PositiveInt

from unlearnbench.builtin.unlearners.certified.own_original import Change, Floats, OwnOriginal, Trained, normals
from unlearnbench.core.errors import UserError
from unlearnbench.core.seeding import SeedPath
from unlearnbench.engine.certificates import gaussian_sigma, rewind_factor
from unlearnbench.engine.logistic.bounded import Problem


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """Weights of the original's training, and what has changed since."""

    weights: Floats
    """(K, D): so many steps before the end."""
    n: int
    """How many records the original has."""
    changed: int = 0
    """How many records have gone or were added."""


@dataclass(frozen=True)
class RewindToDelete(OwnOriginal):
    """Go back ``rewind`` steps of the original's training, take them again on the retained records, and add noise.

    Its own original is ``steps`` of gradient descent from 0 on the mean logistic loss + w'w / (2 c n), over records
    shrunk to norm 1, one model for each class if there are more than two; c is the target model's, n that of the
    original. Two runs of which k of n records differ end at most 2 k G / (L n) h apart, with h = ((1 + eta L n /
    (n - k))^(steps - rewind) - 1) (1 + eta L)^rewind, L = 1/4 + 1 / (c n), G = 1 for one model and sqrt(K) for K. What
    is published has Gaussian noise for that distance, by the exact delta of the Gaussian mechanism. Each step of a
    request goes back to the checkpoint of the original, and k counts all records changed since; the original is
    published with the noise of k = 1. UserError where all n records have changed.

    Certificate: (``epsilon``, ``delta``) for the published model against one trained without the records and published
    with the same noise. It would hold for losses that are not convex too, where L and G are seldom known; for this one
    they are. The means and deviations by which the original's records are scaled are taken as public. Original and
    unlearned model together are not covered.

    Source: Mu and Klabjan 2024, arXiv 2409.09778; Balle and Wang 2018, arXiv 1805.06530, for the noise. The values are
    ours: with more or longer steps h explodes.

    ``epsilon``: of the certificate

    ``delta``: of the certificate

    ``steps``: of gradient descent

    ``rewind``: how many of them are taken again; those of training at most

    ``learning_rate``: step size, eta
    """

    epsilon: PositiveFloat = 1.0
    delta: Annotated[float, Field(gt=0, lt=1)] = 1e-4
    steps: PositiveInt = 100
    rewind: PositiveInt = 50
    learning_rate: PositiveFloat = 0.1

    def train(self, problem: Problem, seeds: SeedPath) -> Trained:
        """Descend, and keep the checkpoint."""
        kept = self._descended(problem, np.zeros(problem.shape), self.steps - self._rewound)
        finished = self._finished(problem, Checkpoint(kept, problem.n), seeds)
        return replace(finished, read=self.steps * problem.n)

    def unlearn(self, before: Trained, change: Change, seeds: SeedPath) -> Trained:
        """Go on from the checkpoint."""
        kept: Checkpoint = before.memory
        return self._finished(change.problem, Checkpoint(kept.weights, kept.n, kept.changed + change.size), seeds)

    def sigma(self, problem: Problem, n: int, changed: int) -> float:
        """Return the deviation of the noise where ``changed`` of the original's n records have changed."""
        if changed >= n:
            raise UserError(f"rewind-to-delete serves fewer changes than the original has records, {n}")
        apart = rewind_factor(problem.smoothness, self.learning_rate, self.steps, self._rewound, changed, n)
        if apart == inf:
            raise UserError(
                f"rewind-to-delete needs more noise than numbers hold: lower steps ({self.steps}) or "
                f"learning_rate ({self.learning_rate:g}), or raise rewind ({self._rewound})"
            )
        most = 2 * changed * problem.lipschitz / (problem.smoothness * min(n, problem.n)) * apart
        return gaussian_sigma(self.epsilon, self.delta, most) if most else 0.0

    @property
    def _rewound(self) -> int:
        return min(self.rewind, self.steps)

    def _finished(self, problem: Problem, kept: Checkpoint, seeds: SeedPath) -> Trained:
        weights = self._descended(problem, kept.weights, self._rewound)
        noise = normals(weights.shape, self.sigma(problem, kept.n, max(kept.changed, 1)), seeds / "published")
        return Trained(problem, weights, weights + noise, self._rewound * problem.n, kept)

    def _descended(self, problem: Problem, weights: Floats, steps: int) -> Floats:
        for _ in range(steps):
            weights = weights - self.learning_rate * problem.gradient(weights)
        return weights
