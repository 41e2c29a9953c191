"""Reconstruction of a deleted record from the parameters of two linear models (Bertran et al. 2024, arXiv 2405.20272).

The loss of a model is the sum of its records' losses and penalty / 2 times the squared parameters. If the original
theta_o and the model theta_u without a record both minimize it, H (theta_u - theta_o) is the gradient of the deleted
record's loss at theta_o, exactly for squared loss and to first order for logistic loss. H is the Hessian without the
record, and this gradient is a multiple of the record's features. Vectors are (d,); a feature of 1 gives an intercept.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]


def deleted_direction(before: ArrayLike, after: ArrayLike, hessian: ArrayLike) -> Vector:
    """Return the direction (d,) of the features of the record that was deleted between two parameter vectors (d,).

    It has length 1, and may point the other way. Of several deleted records it is that of the sum of their gradients.
    ValueError where nothing changed.
    """
    gradient = np.asarray(hessian, dtype=np.float64) @ (np.asarray(after) - np.asarray(before))
    if not gradient.any():
        raise ValueError("both models have the same parameters: nothing shows what was deleted")
    return np.asarray(gradient / np.linalg.norm(gradient))


def deleted_features(direction: ArrayLike, intercept: int = -1) -> Vector:
    """Return the features (d - 1,) of the deleted record, given the place of the feature that is 1 for every record.

    ValueError where the direction has none of it.
    """
    vector = np.asarray(direction, dtype=np.float64)
    if not vector[intercept]:
        raise ValueError(f"the direction is 0 at {intercept}, where every record has the feature 1")
    return np.delete(vector / vector[intercept], intercept)


def ridge_hessian(x: ArrayLike, penalty: float) -> Matrix:
    """Return the Hessian (d, d) of half the squared loss on features (n, d)."""
    features = np.asarray(x, dtype=np.float64)
    return np.asarray(features.T @ features + penalty * np.eye(features.shape[1]))


def logistic_hessian(x: ArrayLike, parameters: ArrayLike, penalty: float) -> Matrix:
    """Return the Hessian (d, d) of the logistic loss of two classes on features (n, d), at ``parameters`` (d,)."""
    from scipy.special import expit

    features = np.asarray(x, dtype=np.float64)
    p = expit(features @ np.asarray(parameters))
    return ridge_hessian(features * np.sqrt(p * (1 - p))[:, None], penalty)
