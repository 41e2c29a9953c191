"""Descent to delete: go on with gradient descent from the model before, and publish it with noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, PositiveFloat, PositiveInt

from unlearnbench.builtin.unlearners.certified.own_original import Change, Floats, OwnOriginal, Trained, normals
from unlearnbench.core.seeding import SeedPath
from unlearnbench.engine.certificates import descent_sigma
from unlearnbench.engine.logistic.bounded import Problem


@dataclass(frozen=True)
class DescentToDelete(OwnOriginal):
    """Take ``steps`` of gradient descent on the retained records, then publish the weights + N(0, sigma^2).

    Its own original is the optimum of the mean logistic loss + w'w / (2 c n) over records shrunk to norm 1, one model
    for each class if there are more than two; c is the target model's, n that of the original. With m the curvature
    1 / (c n), L = 1/4 + m and g = (L - m) / (L + m), steps have size 2 / (L + m) and sigma = 4 sqrt(2) k M g^steps /
    (m n (1 - g^steps) (sqrt(ln(1/delta) + epsilon) - sqrt(ln(1/delta)))), M = 1 for one model and sqrt(K) for K; k / n
    is the largest share of the records that changed in a step so far. The original has the noise of 1 / n.

    Certificate: (``epsilon``, ``delta``) for the published model against one that is trained anew and published with
    the same noise. The weights without noise, from which the next step goes on, stay secret. The means and deviations
    by which the original's records are scaled are taken as public. Original and unlearned model together are not
    covered.

    Source: Neel et al. 2021, arXiv 2007.02923. ``steps`` is ours: fewer need more noise.

    ``epsilon``: of the certificate

    ``delta``: of the certificate

    ``steps``: of gradient descent, for each step of a request
    """

    epsilon: PositiveFloat = 1.0
    delta: Annotated[float, Field(gt=0, lt=1)] = 1e-4
    steps: PositiveInt = 1000

    def train(self, problem: Problem, seeds: SeedPath) -> Trained:
        """Minimize the loss."""
        least = problem.optimum()
        return self._published(problem, least.weights, 1 / problem.n, least.passes, seeds)

    def unlearn(self, before: Trained, change: Change, seeds: SeedPath) -> Trained:
        """Descend from the model before."""
        problem, weights = change.problem, before.weights
        rate = 2 / (problem.smoothness + problem.penalty)
        for _ in range(self.steps):
            weights = weights - rate * problem.gradient(weights)
        share = change.size / min(problem.n, before.problem.n)
        return self._published(problem, weights, max(before.memory, share), self.steps, seeds)

    def sigma(self, problem: Problem, changed: float) -> float:
        """Return the deviation of the noise after a step in which this share of the records changed."""
        gradient = changed * problem.lipschitz
        return descent_sigma(problem.smoothness, problem.penalty, gradient, 1, self.steps, self.epsilon, self.delta)

    def _published(self, problem: Problem, weights: Floats, changed: float, passes: float, seeds: SeedPath) -> Trained:
        noise = normals(weights.shape, self.sigma(problem, changed), seeds / "published")
        return Trained(problem, weights, weights + noise, passes * problem.n, changed)
