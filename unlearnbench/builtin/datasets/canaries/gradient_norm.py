"""Canaries with the largest gradients: records and classes that a linear model trained on the others fits worst."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.errors import UserError
from unlearnbench.core.records import Records
from unlearnbench.core.seeding import SeedPath
from unlearnbench.engine.scaling import Standardizer

FEATURES: Final = 4096
"""How many features there may be: the time grows with their square, and images of 64 by 64 pixels take a minute."""
PENALTY: Final = 1.0
"""The penalty on squared weights, which makes them unique where features depend on each other."""


def gradient_norm(records: Records, _: SeedPath) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return of each record the largest norm (n,) that its gradient has with another class, and that class (n,).

    The model is ridge regression of the one-hot class on standardized features and a constant, trained on all other
    records, of which there is a closed form: without record i it predicts ``f_i = y_i - r_i / (1 - h_i)``, r the
    residual of the model of all and h the diagonal of its hat matrix (Allen 1974, PRESS). The gradient of half the
    squared loss with class c is ``(f_i - e_c)`` times the features, so its norm is the product of both norms. Records
    with a large gradient move a model most. The gradients of another kind of model differ from those of this one.
    UserError for more than 4,096 features.
    """
    x = np.column_stack([Standardizer.of(records.x)(records.x), np.ones(len(records))])
    if x.shape[1] > FEATURES + 1:
        features = f"{records.name} has {x.shape[1] - 1} features"
        raise UserError(f"gradient-norm: {features}, which must be at most {FEATURES}; use rare-flip")
    predicted = _predicted_by_others(x, np.eye(records.n_classes)[records.y])
    rows = np.arange(len(records))
    others = predicted.copy()
    others[rows, records.y] = np.inf
    label = others.argmin(axis=1)
    predicted[rows, label] -= 1
    return np.linalg.norm(predicted, axis=1) * np.linalg.norm(x, axis=1), label


def _predicted_by_others(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what ridge regression of y (n, C) on x (n, d), trained on all other records, predicts for each (n, C)."""
    inverse = np.linalg.inv(x.T @ x + PENALTY * np.eye(x.shape[1]))
    leverage = np.einsum("ij,ij->i", x @ inverse, x)
    residual = y - x @ (inverse @ (x.T @ y))
    return np.asarray(y - residual / (1 - leverage)[:, None])
