"""One Newton step on the retained records: the influence of the forgotten ones on a convex model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from unlearnbench.builtin.models.logistic_regression import FittedLogisticRegression, LogisticRegression
from unlearnbench.core.errors import UserError
from unlearnbench.core.models import Fitted, TargetModel
from unlearnbench.core.records import TrainingSet
from unlearnbench.engine.banks import Member
from unlearnbench.engine.logistic.newton import inverse
from unlearnbench.engine.logistic.objective import Objective, basis
from unlearnbench.engine.logistic.solve import LogisticBank
from unlearnbench.engine.scaling import Standardizer
from unlearnbench.engine.sklearn_model import Constant, training_table
from unlearnbench.engine.unlearners import Deletion, FunctionUnlearner
from unlearnbench.hooks.records import Seen

_NONE = np.empty(0, dtype=np.int64)


@dataclass(frozen=True)
class NewtonStep(FunctionUnlearner):
    """One step of Newton's method on the loss of the retained records, from the model before.

    What it misses is quadratic in the records forgotten; it is not hidden, so there is no certificate. A class whose
    last record is forgotten keeps its weights, and a model of one class stays as it is. With nothing to forget it moves
    by rounding only. UserError for an added record of a class that the model lacks. Source: Koh and Liang 2017, arXiv
    1703.04730; Guo et al. 2020, arXiv 1911.03030, without the noise.
    """

    sees: ClassVar[tuple[Seen, ...]] = ("forget-set", "retain-set", "labels")

    def refusal(self, model: TargetModel) -> str | None:
        """Refuse what is no logistic regression, and a scaler that moves with the records."""
        if not isinstance(model, LogisticRegression):
            return f"needs logistic-regression, whose loss is convex; {type(model).__name__} is another model"
        return None if model.scaler == "original" else "a Newton step keeps the scaler: use scaler: original"

    def unlearn(self, deletion: Deletion) -> Fitted:
        """Take the step."""
        model, fitted = deletion.original.model, deletion.fitted
        if isinstance(fitted, Constant) or not isinstance(model, LogisticRegression):
            return fitted
        return stepped(with_weights(fitted), deletion.retain, model.c)


def with_weights(fitted: Fitted) -> FittedLogisticRegression:
    """Return a fitted logistic regression, of either engine, with its own weights."""
    if isinstance(fitted, Member) and isinstance(bank := fitted.bank, LogisticBank):
        full = basis(len(bank.classes)) @ bank.weights[fitted.index]
        assert isinstance(bank.standardizer, Standardizer)  # noqa: S101 - for the type checker
        return FittedLogisticRegression(full[:, :-1], full[:, -1], bank.classes, bank.n_classes, bank.standardizer)
    if not isinstance(fitted, FittedLogisticRegression):
        raise TypeError(f"needs a logistic regression, got {type(fitted).__name__}")
    return fitted


def stepped(fitted: FittedLogisticRegression, data: TrainingSet, c: float) -> FittedLogisticRegression:
    """Return the model after a Newton step on the sum of losses of ``data`` + coef'coef / (2 c)."""
    x, y = training_table(data)
    objective = Objective.of(fitted.standardizer(x), _places(y, fitted.classes), len(fitted.classes))
    full = np.column_stack([fitted.coef, fitted.intercept])
    weights = np.linalg.pinv(objective.basis) @ (full - full[0])  # less a shift of all logits, which changes nothing
    penalty = np.append(np.full(x.shape[1], 1 / c), 0.0)
    gradient = objective.gradient(weights[None], _NONE[None], penalty[None])[0]
    step = inverse(objective.hessian(weights, _NONE, penalty)) @ gradient.ravel()
    full = objective.basis @ (weights - step.reshape(weights.shape))
    return FittedLogisticRegression(full[:, :-1], full[:, -1], fitted.classes, fitted.n_classes, fitted.standardizer)


def _places(y: NDArray[np.int64], classes: NDArray[np.int64]) -> NDArray[np.int64]:
    if not (known := np.isin(y, classes)).all():
        raise UserError(f"a Newton step cannot add class {y[~known][0]}, of which the original had no record")
    return np.searchsorted(classes, y)
