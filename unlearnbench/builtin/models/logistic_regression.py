"""Logistic regression on standardized features, solved to its optimum."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import PositiveFloat, PositiveInt

from unlearnbench.builtin.models.scaling import Scaler, Standardizer
from unlearnbench.core.errors import UserError
from unlearnbench.core.models import FitTask, Fitted, SeedUse, TargetModel
from unlearnbench.core.posteriors import FLOOR, log_softmax
from unlearnbench.engine.sklearn_model import Constant, training_table


@dataclass(frozen=True, eq=False)
class FittedLogisticRegression:
    """Weights ``coef`` (k, d) on standardized features and ``intercept`` (k,) of the k ``classes`` that were seen."""

    coef: NDArray[np.float64]
    intercept: NDArray[np.float64]
    classes: NDArray[np.int64]
    n_classes: int
    standardizer: Standardizer

    def log_posteriors(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return log-posteriors (n, n_classes) straight from the logits, so that confident ones keep their digits."""
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
    anew to the rows that are asked about, which leaves a single record with the intercept alone; not so here).

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
        solved = self._solve(standardizer(x), y)
        coef, intercept = solved.coef_, solved.intercept_
        if len(solved.classes_) == 2:  # scikit-learn keeps the second class's logit only: the first one's is 0
            coef, intercept = np.vstack([0 * coef, coef]), np.append(0.0, intercept)
        return FittedLogisticRegression(coef, intercept, solved.classes_, n_classes, standardizer)

    def _solve(self, x: NDArray[np.float64], y: NDArray[np.int64]) -> Any:
        from sklearn import linear_model

        solver = linear_model.LogisticRegression(C=self.c, solver="newton-cg", max_iter=self.max_iter, tol=self.tol)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the gradient below says more than any of the ways to stop early
            solver.fit(x, y)
        gradient = _largest_gradient(solver, x, y)
        if not gradient <= 2 * self.tol:  # twice: it is summed in another order here
            raise UserError(
                f"logistic regression has not reached its optimum: mean gradient {gradient:.1e} after "
                f"{solver.n_iter_.max()} steps, tol {self.tol:g}; lower c, or raise max_iter ({self.max_iter}) or tol"
            )
        return solver


def _largest_gradient(solver: Any, x: NDArray[np.float64], y: NDArray[np.int64]) -> float:
    """Return the largest component of the objective's gradient, divided by the number of records."""
    residuals = solver.predict_proba(x) - (y[:, None] == solver.classes_)
    residuals = residuals[:, -len(solver.coef_) :]  # a binary problem has the second class's weights only
    of_coef, of_intercept = residuals.T @ x + solver.coef_ / solver.C, residuals.sum(axis=0)
    return float(max(np.abs(of_coef).max(), np.abs(of_intercept).max()) / len(y))
