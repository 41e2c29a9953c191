"""Logistic regression on standardized features, solved to its optimum."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray
from pydantic import PositiveFloat, PositiveInt

from unlearnbench.core.errors import UserError
from unlearnbench.core.models import FitTask, Fitted, SeedUse, TargetModel
from unlearnbench.core.posteriors import FLOOR, log_softmax
from unlearnbench.core.records import TrainingSet
from unlearnbench.engine.banks import Member
from unlearnbench.engine.deltas import Base, Group, group_by_base
from unlearnbench.engine.logistic.objective import Objective
from unlearnbench.engine.logistic.solve import LogisticBank, SolvedBase
from unlearnbench.engine.scaling import Scaler, Standardizer
from unlearnbench.engine.sklearn_model import Constant, training_table

_COLD = 128
"""The number of weights up to which Newton's method on the whole Hessian solves a base fastest from zero. Above it,
Newton's method starts where conjugate gradients, which never form the Hessian, reach a gradient of ``_NEAR``."""
_NEAR = 1e-5

_LARGEST = 2500
"""The number of weights up to which the Hessian's inverse, one per base, is worth its memory (50 MB). Above ``_COLD``
it is worth its time only where there are more records than weights."""

_bases: WeakValueDictionary[tuple[LogisticRegression, str, str], SolvedBase] = WeakValueDictionary()
"""Bases of models that are still in use, by model and training set: requests start where their original is."""


@dataclass(frozen=True, eq=False)
class FittedLogisticRegression:
    """A model that scikit-learn trained."""

    coef: NDArray[np.float64]
    """(k, d): the weights on standardized features of each of the k classes."""
    intercept: NDArray[np.float64]
    """(k,): the intercept of each class."""
    classes: NDArray[np.int64]
    """(k,): the classes that the training records have."""
    n_classes: int
    """The number of classes of the data set."""
    standardizer: Standardizer
    """What scales the features."""

    def log_posteriors(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return log-posteriors (n, n_classes), computed from logits, so that small posteriors keep their digits."""
        full = np.full((len(x), self.n_classes), np.log(FLOOR))
        full[:, self.classes] = log_softmax(self.standardizer(x) @ self.coef.T + self.intercept)
        return full


@dataclass(frozen=True)
class LogisticRegression(TargetModel):
    """Logistic regression on standardized features; multinomial for more than two classes.

    Minimizes the sum of cross-entropies plus ``|coef|^2 / (2 c)``, intercept unpenalized. The penalty does not depend
    on the number of records, so a deletion takes one term out of the sum and changes nothing else.

    The optimum is unique, so neither ``init`` nor ``order`` matters: same, fresh, slot and compact are one model. That
    takes the optimum itself: L-BFGS, the solver of the paper's code, stalls at errors of 1e-8 to 1e-6 in the
    posteriors whatever its tolerance, and is off by 1e-3 to 1e-2 at scikit-learn's default. Newton's method (with
    conjugate gradients) takes the same time and gets below 1e-9.

    A subset with one class gives a constant; a class that is lacking gets the floor, and where two are left the
    problem is a binary one. UserError where the optimum is not reached.

    Source: Chen et al., CCS 2021, code: L2, C = 1, 400 iterations, standardized features (there the scaler is fitted
    again to the rows that are queried, so a single record is predicted by the intercept alone; not so here).

    ``c``: inverse strength of the L2 penalty

    ``max_iter``: Newton steps allowed

    ``tol``: largest component of the mean gradient that counts as the optimum

    ``scaler``: whose statistics scale an unlearned model's features: the original's training set or its own records
    """

    c: PositiveFloat = 1.0
    max_iter: PositiveInt = 400
    tol: PositiveFloat = 1e-10
    scaler: Scaler = "original"

    seeds_used: ClassVar[frozenset[SeedUse]] = frozenset()

    def fit(self, task: FitTask, device: str) -> Fitted:
        """Train one model from scratch."""
        x, y = training_table(task.data)
        n_classes = task.data.n_classes
        if (y == y[0]).all():
            return Constant(int(y[0]), n_classes)
        standardizer = Standardizer.for_training(task.data, self.scaler)
        z = standardizer(x)
        solved = self._solve(z, y, self.tol)
        self._check(_largest_gradient(solved, z, y), solved.n_iter_.max())
        coef, intercept = solved.coef_, solved.intercept_
        if len(solved.classes_) == 2:  # scikit-learn keeps the second class's logit only: the first one's is 0
            coef, intercept = np.vstack([0 * coef, coef]), np.append(0.0, intercept)
        return FittedLogisticRegression(coef, intercept, solved.classes_, n_classes, standardizer)

    def has_fast_path(self, device: str) -> bool:
        """Return True: the fast path needs numpy only."""
        return True

    def fit_many(self, tasks: Sequence[FitTask], device: str) -> Sequence[Fitted]:
        """Solve all models that leave records out of one base together; see :mod:`unlearnbench.engine.logistic.solve`.

        Posteriors agree with those of :meth:`fit` to 1e-8. A model's bits do not depend on the other tasks.
        Where the originals are too wide or too short for a Hessian to pay, that is left to :meth:`fit`.
        """
        fitted: dict[int, Fitted] = {}
        for group in group_by_base([task.data for task in tasks], accepts=_keeps_all_classes):
            its_tasks = [tasks[index] for index in group.indices]
            if _hessian_pays(group.base.data.original):
                models = self._fit_group(group, [task.data for task in its_tasks])
            else:
                models = super().fit_many(its_tasks, device)
            fitted.update(zip(group.indices, models, strict=True))
        return [fitted[index] for index in range(len(tasks))]

    def _fit_group(self, group: Group, sets: Sequence[TrainingSet]) -> Sequence[Fitted]:
        """Fit one model for each of the training ``sets`` of a group."""
        data = group.base.data
        x, y = training_table(data)
        classes, labels = np.unique(y, return_inverse=True)
        if len(classes) == 1:
            return [Constant(int(y[0]), data.n_classes)] * len(sets)
        standardizer = Standardizer.for_training(data, self.scaler)
        key = (self, data.records.sha256, data.fingerprint)
        base = _bases.get(key) or self._base(Objective.of(standardizer(x), labels, len(classes)))
        _bases[key] = base
        solved = base.without(group.removed, self._penalties(standardizer, sets))
        worst = int(solved.gradient.argmax())
        self._check(float(solved.gradient[worst]), int(solved.steps[worst]))
        bank = LogisticBank(solved.weights, classes, data.n_classes, standardizer, base)
        return [Member(bank, i) for i in range(len(sets))]

    def _base(self, objective: Objective) -> SolvedBase:
        """Solve for all records of a base."""
        penalty = np.append(np.full(len(objective.rows) - 1, 1 / self.c), 0.0)
        start = np.zeros((objective.n_classes - 1, len(objective.rows)))
        if start.size > _COLD:
            near = self._solve(objective.rows[:-1].T, objective.labels, max(self.tol, _NEAR))
            weights = np.column_stack([near.coef_, near.intercept_])
            start = weights if objective.n_classes == 2 else objective.basis.T @ weights
        base = SolvedBase.of(objective, penalty, start, self.tol, self.max_iter)
        self._check(base.optimum.gradient, base.optimum.steps)
        return base

    def _penalties(self, standardizer: Standardizer, sets: Sequence[TrainingSet]) -> NDArray[np.float64]:
        """Return each model's penalty (K, d + 1) on the weights of the base's features.

        A model with a scale of its own has the weight v = w scale / own scale on the base's features where it has w
        on its own, and the shift goes into the intercept: the same problem, with |w|^2 = sum (v own scale / scale)^2.
        """
        penalties = np.zeros((len(sets), len(standardizer.mean) + 1))
        penalties[:, :-1] = 1 / self.c
        if self.scaler == "refit":
            for penalty, data in zip(penalties, sets, strict=True):
                penalty[:-1] *= (Standardizer.of(data.x).scale / standardizer.scale) ** 2
        return penalties

    def _solve(self, x: NDArray[np.float64], y: NDArray[np.int64], tol: float) -> Any:
        from sklearn import linear_model

        solver = linear_model.LogisticRegression(C=self.c, solver="newton-cg", max_iter=self.max_iter, tol=tol)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the gradient below says more than any of the ways to stop early
            solver.fit(x, y)
        return solver

    def _check(self, gradient: float, steps: int) -> None:
        """Refuse a model whose mean gradient has a component above ``tol``."""
        if not gradient <= 2 * self.tol:  # twice: solvers sum it in another order
            raise UserError(
                f"logistic regression has not reached its optimum: mean gradient {gradient:.1e} after "
                f"{steps} steps, tol {self.tol:g}; lower c, or raise max_iter ({self.max_iter}) or tol"
            )


def _keeps_all_classes(base: Base, removed: NDArray[np.int64]) -> bool:
    """Say whether the base without its rows ``removed`` has all of the base's classes; without one, C differs."""
    before = np.bincount(base.data.y, minlength=base.data.n_classes)
    lost = np.bincount(base.data.y[removed], minlength=base.data.n_classes)
    return not ((lost == before) & (lost > 0)).any()


def _hessian_pays(original: TrainingSet) -> bool:
    """Say whether to form and invert Hessians: by the original alone, so that an episode's models share the answer."""
    n_weights = (original.n_classes - 1) * (math.prod(original.records.x.shape[1:]) + 1)
    return n_weights <= max(_COLD, min(_LARGEST, len(original)))


def _largest_gradient(solver: Any, x: NDArray[np.float64], y: NDArray[np.int64]) -> float:
    """Return the largest component of the objective's gradient, divided by the number of records."""
    residuals = solver.predict_proba(x) - (y[:, None] == solver.classes_)
    residuals = residuals[:, -len(solver.coef_) :]  # a binary problem has the second class's weights only
    of_coef, of_intercept = residuals.T @ x + solver.coef_ / solver.C, residuals.sum(axis=0)
    return float(max(np.abs(of_coef).max(), np.abs(of_intercept).max()) / len(y))
