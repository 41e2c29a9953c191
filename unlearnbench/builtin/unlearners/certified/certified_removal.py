"""Certified removal: a Newton step on a loss that was perturbed beforehand, so that what the step misses is hidden."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
from pydantic import Field, PositiveFloat

from unlearnbench.builtin.unlearners.certified.own_original import Change, Floats, OwnOriginal, Trained, normals
from unlearnbench.core.seeding import SeedPath
from unlearnbench.engine.certificates import removal_budget
from unlearnbench.engine.logistic.bounded import Problem


@dataclass(frozen=True)
class CertifiedRemoval(OwnOriginal):
    """One Newton step from the model before, and training again where its error might exceed the budget.

    Its own original minimizes the mean logistic loss + w'w / (2 c n) + b'w / n, b ~ N(0, ``sigma``^2), over records
    shrunk to norm 1, one model for each class if there are more than two; c is the target model's, n that of the
    original. What gradient a step leaves is at most N(X) N(step) N(X step) / 4, X the retained records and N the norm;
    where the sum of these since the last training exceeds ``sigma`` epsilon / sqrt(2 ln(1.5 / delta)), the model is
    trained again, with a new b. Of several models the root of the sum of squares counts.

    Certificate: (``epsilon``, ``delta``) for the unlearned model against one that is trained with a b of its own. It
    takes the optimum as exact, and the means and deviations by which the original's records are scaled as public.
    Original and unlearned model together are not covered.

    Source: Guo et al. 2020, arXiv 1911.03030; ``sigma`` is that of their code. There the step leaves errors of earlier
    steps as they are; this one mends them too, and their bounds are added up all the same.

    ``epsilon``: of the certificate

    ``delta``: of the certificate

    ``sigma``: deviation of each number of b
    """

    epsilon: Annotated[float, Field(gt=0, le=1)] = 1.0
    delta: Annotated[float, Field(gt=0, lt=1)] = 1e-4
    sigma: PositiveFloat = 10.0

    def train(self, problem: Problem, seeds: SeedPath) -> Trained:
        """Perturb the loss and minimize it."""
        perturbed = replace(problem, tilt=normals(problem.shape, self.sigma, seeds / "perturbation"))
        least = perturbed.optimum()
        return Trained(perturbed, least.weights, least.weights, least.passes * problem.n, 0.0)

    def unlearn(self, before: Trained, change: Change, seeds: SeedPath) -> Trained:
        """Take the step, or train again."""
        step = change.problem.newton_steps(before.weights)
        spent = before.memory + residual_bound(change.problem, step)
        if spent > self.budget:
            again = self.train(change.problem, seeds)
            return replace(again, read=again.read + change.problem.n)
        weights = before.weights + step
        return Trained(change.problem, weights, weights, change.problem.n, spent)

    @property
    def budget(self) -> float:
        """How large the sum of the bounds may become."""
        return removal_budget(self.sigma, self.epsilon, self.delta)


def residual_bound(problem: Problem, steps: Floats) -> float:
    """Return a bound on the norm of the summed gradient (K, D) that Newton ``steps`` (K, D) leave."""
    each = np.linalg.norm(steps, axis=1) * np.linalg.norm(steps @ problem.rows.T, axis=1)
    return float(np.linalg.norm(problem.rows, 2) * np.linalg.norm(each) / 4)
