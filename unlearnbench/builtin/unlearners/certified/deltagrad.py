"""DeltaGrad: run gradient descent again, with most of its gradients worked out from those of the first run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import NonNegativeInt, PositiveFloat, PositiveInt

from unlearnbench.builtin.unlearners.certified.own_original import Change, Floats, OwnOriginal, Trained
from unlearnbench.core.seeding import SeedPath
from unlearnbench.engine.logistic.bounded import Problem

Pair = tuple[Floats, Floats]
"""A difference of weights and that of the gradients there."""


@dataclass(frozen=True, eq=False)
class Run:
    """The training log: weights and gradient (T, K, D) of each step, before it is taken."""

    weights: Floats
    gradients: Floats


@dataclass(frozen=True)
class DeltaGrad(OwnOriginal):
    """Take the steps of training again on the retained records, and compute a gradient in some of them only.

    Its own original is ``steps`` of gradient descent from 0 on the mean logistic loss + w'w / (2 c n), over records
    shrunk to norm 1, one model for each class if there are more than two; c is the target model's, n that of the
    original. The log keeps weights w_t and gradients g_t. In the first ``exact`` steps and in every ``period``-th one
    the gradient is computed; in the others that of the old records is g_t + B (v_t - w_t), v_t the new weights and B
    the Hessian estimate of L-BFGS from the last ``history`` computed ones, and only changed records are read. The new
    run is the log of the next step. With ``period`` 1 it is training again, to the bit.

    What it misses is not hidden: there is no certificate. The log takes 2 x ``steps`` times the memory of the model.

    Source: Wu et al. 2020, arXiv 2006.14755; values of their code for MNIST but ``steps`` and ``learning_rate``, which
    are ours.

    ``steps``: of gradient descent

    ``learning_rate``: step size

    ``exact``: steps at the start in which the gradient is computed

    ``period``: of the later ones in which it is

    ``history``: differences from which the Hessian is estimated
    """

    steps: PositiveInt = 200
    learning_rate: PositiveFloat = 1.0
    exact: NonNegativeInt = 20
    period: PositiveInt = 5
    history: PositiveInt = 2

    def train(self, problem: Problem, seeds: SeedPath) -> Trained:
        """Descend, and keep the log."""
        log: list[Pair] = []
        weights = np.zeros(problem.shape)
        for _ in range(self.steps):
            log.append((weights, problem.gradient(weights)))
            weights = weights - self.learning_rate * log[-1][1]
        return _trained(problem, weights, self.steps * problem.n, log)

    def unlearn(self, before: Trained, change: Change, seeds: SeedPath) -> Trained:
        """Take the steps again."""
        old, pairs, log = before.memory, list[Pair](), list[Pair]()
        weights, read = np.zeros(change.problem.shape), 0
        for t in range(self.steps):
            moved = weights - old.weights[t]
            if t < self.exact or t % self.period == 0 or not pairs:
                gradient = change.problem.gradient(weights)
                bent = before.problem.gradient(weights) - old.gradients[t]
                read += change.problem.n + before.problem.n
                pairs = [*pairs, (moved, bent)][-self.history :] if (moved * bent).sum() > 0 else pairs
            else:
                gradient = without(before.problem, change, weights, old.gradients[t] + curvature(pairs, moved))
                read += change.size
            log.append((weights, gradient))
            weights = weights - self.learning_rate * gradient
        return _trained(change.problem, weights, read, log)


def _trained(problem: Problem, weights: Floats, read: int, log: Sequence[Pair]) -> Trained:
    return Trained(problem, weights, weights, read, Run(*(np.stack(part) for part in zip(*log, strict=True))))


def without(before: Problem, change: Change, weights: Floats, gradient: Floats) -> Floats:
    """Return the gradient (K, D) of the mean loss after a change, given that of the mean loss before."""
    own = before.n * (gradient - before.penalty * weights) - change.gone.pull(weights) + change.new.pull(weights)
    return np.asarray(own / change.problem.n + before.penalty * weights)


def curvature(pairs: Sequence[Pair], way: Floats) -> Floats:
    """Return B ``way``: B starts as a multiple of the identity and takes the BFGS update of each of the ``pairs``.

    The multiple is s'y / s's of the last pair s, y (Nocedal and Wright 2006, Numerical Optimization, chapter 7).
    """
    s, y = pairs[-1]
    return _updated(pairs, way, float((s * y).sum() / (s * s).sum()))


def _updated(pairs: Sequence[Pair], way: Floats, scale: float) -> Floats:
    if not pairs:
        return scale * way
    *earlier, (s, y) = pairs
    along, own = _updated(earlier, way, scale), _updated(earlier, s, scale)
    gone, new = (s * along).sum() / (s * own).sum(), (y * way).sum() / (y * s).sum()
    return np.asarray(along - gone * own + new * y)
