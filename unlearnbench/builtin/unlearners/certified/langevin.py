"""Langevin unlearning: noisy gradient descent goes on, on the retained records, until the old law is forgotten."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, log, sqrt
from typing import Annotated

from pydantic import Field, PositiveFloat

from unlearnbench.builtin.unlearners.certified.own_original import Change, Floats, OwnOriginal, Trained
from unlearnbench.core.errors import UserError
from unlearnbench.core.seeding import SeedPath
from unlearnbench.engine.certificates import Divergence, law_after, law_between, law_shift, renyi_epsilon
from unlearnbench.engine.logistic.bounded import Problem

_FORGOTTEN = 1e-6
"""How much of the distance to their law the steps of training leave."""
_MOST_STEPS = 2**20


@dataclass(frozen=True)
class Langevin(OwnOriginal):
    """Noisy gradient descent w - eta g + sqrt(2 eta) ``sigma`` N(0, I), on the retained records, from the model before.

    Its own original is trained by the same iteration, over records shrunk to norm 1, one model for each class if there
    are more than two: from the optimum of the mean logistic loss + w'w / (2 c n), for as many steps as shrink a
    distance by 1e6. c is the target model's, n that of the original; with m = 1 / (c n), L = 1/4 + m and eta = 1 / L.
    As many steps are taken as the certificate needs: the least K with exp(-K m eta / a) D(a) + ln(1/delta) / (a - 1) <=
    epsilon for some a > 1, D(a) = 4 a k^2 M^2 / (m sigma^2 n^2) for k changed records, M = 1 for one model and sqrt(K')
    for K'. In a later step D(a) is (a - 1/2) / (a - 1) times what the step before left at order 2 a, + D(2 a - 1).
    UserError where more than 2^20 steps are needed.

    Certificate: (``epsilon``, ``delta``) for the unlearned model against the law to which the same iteration without
    the records tends. It takes the original as a draw from its own such law, and the means and deviations by which the
    original's records are scaled as public. Original and unlearned model together are not covered.

    Source: Chien et al. 2024, arXiv 2401.10371; Mironov 2017, arXiv 1702.07476, for later steps. ``sigma`` is ours.

    ``epsilon``: of the certificate

    ``delta``: of the certificate

    ``sigma``: deviation of the noise; more needs fewer steps
    """

    epsilon: PositiveFloat = 1.0
    delta: Annotated[float, Field(gt=0, lt=1)] = 1e-4
    sigma: PositiveFloat = 0.1

    def train(self, problem: Problem, seeds: SeedPath) -> Trained:
        """Run the iteration until it has forgotten where it started."""
        steps = ceil(log(1 / _FORGOTTEN) * problem.smoothness / problem.penalty)
        self._check(steps <= _MOST_STEPS)
        least = problem.optimum()
        weights = self._run(problem, least.weights, steps, seeds)
        return Trained(problem, weights, weights, (least.passes + steps) * problem.n)

    def unlearn(self, before: Trained, change: Change, seeds: SeedPath) -> Trained:
        """Run the iteration on what is left, as long as the certificate asks."""
        problem = change.problem
        n = min(problem.n, before.problem.n)
        shift = law_shift(problem.penalty, problem.lipschitz, self.sigma, n, change.size)
        start = law_between(before.memory, shift) if before.memory else shift
        steps = self.steps(problem, start)
        weights = self._run(problem, before.weights, steps, seeds)
        left = law_after(start, problem.penalty, 1 / problem.smoothness, steps)
        return Trained(problem, weights, weights, steps * problem.n, left)

    def steps(self, problem: Problem, start: Divergence) -> int:
        """Return the fewest steps after which the divergence ``start`` is within the certificate."""

        def holds(steps: int) -> bool:
            left = law_after(start, problem.penalty, 1 / problem.smoothness, steps)
            return renyi_epsilon(left, self.delta) <= self.epsilon

        self._check(holds(_MOST_STEPS))
        return first_that(holds, _MOST_STEPS)

    def _check(self, enough: bool) -> None:
        if not enough:
            raise UserError(
                f"langevin needs more than {_MOST_STEPS} steps: raise sigma ({self.sigma:g}) or epsilon, or lower c"
            )

    def _run(self, problem: Problem, weights: Floats, steps: int, seeds: SeedPath) -> Floats:
        rng, rate = seeds.rng(), 1 / problem.smoothness
        for _ in range(steps):
            noise = sqrt(2 * rate) * self.sigma * rng.standard_normal(weights.shape)
            weights = weights - rate * problem.gradient(weights) + noise
        return weights


def first_that(holds: Callable[[int], bool], last: int) -> int:
    """Return the least number from 1 on that holds, given that ``last`` does and so do all after one that does."""
    low, high = 0, last
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high
