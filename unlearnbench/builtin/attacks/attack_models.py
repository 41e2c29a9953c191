"""The classifiers of attacks that learn.

Parameters are those of the code of Chen et al. 2021, except that the MLP has a scaler and a seed. LightGBM is added.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, Literal, assert_never

import numpy as np
from numpy.typing import NDArray

AttackModel = Literal["logistic-regression", "decision-tree", "random-forest", "mlp", "lightgbm"]
"""The classifier that turns features into a probability of "deleted"."""

Probability = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""Features (n, d) -> the probability (n,) that each row was deleted."""
Shares = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""Features (n, d) -> the probability (n, K) that each row is of each class."""


def fit_attack_model(
    name: AttackModel, features: NDArray[np.float64], deleted: NDArray[np.bool_], rng: np.random.Generator
) -> Probability:
    """Fit the classifier ``name`` to features (n, d) of shadow rows, of which ``deleted`` (n,) were deleted.

    If all rows, or none, are deleted, every probability is .5.
    """
    shares = fit_classes(name, features, deleted, 2, rng)
    return lambda rows: shares(rows)[:, 1]


def fit_classes(
    name: AttackModel,
    features: NDArray[np.float64],
    number: NDArray[np.bool_] | NDArray[np.int64],
    classes: int,
    rng: np.random.Generator,
) -> Shares:
    """Fit the classifier ``name`` to features (n, d) of shadow rows, of which each is of the class ``number`` (n,).

    A class without rows has the probability 0. If fewer than two have rows, all have the same probability.
    """
    seed = int(rng.integers(2**31))
    known = np.unique(number).astype(np.int64)
    if len(known) < 2:
        return lambda rows: np.full((len(rows), classes), 1 / classes)
    estimator = _estimator(name, seed, number)
    _fit_quietly(estimator, features, number)
    predict = _predictor(name, estimator)

    def shares(rows: NDArray[np.float64]) -> NDArray[np.float64]:
        found = np.zeros((len(rows), classes))
        if len(rows):  # scikit-learn cannot predict for no rows
            found[:, known] = predict(rows)
        return found

    return shares


def _predictor(name: AttackModel, estimator: Any) -> Shares:
    """Return a function with the values of ``predict_proba``, without its input checks, row by row to the bit.

    An attack scores one request at a time, a few dozen rows. For so few rows the input checks of ``predict_proba`` take
    longer than the prediction. A matrix product of BLAS may differ in its last bits with the number of rows, so there
    is none here.
    """
    match name:
        case "decision-tree":
            return lambda rows: _leaf_shares(estimator.tree_, np.asarray(rows, dtype=np.float32))
        case "random-forest":
            trees = [tree.tree_ for tree in estimator.estimators_]
            return lambda rows: _mean_share(trees, np.asarray(rows, dtype=np.float32))
        case "lightgbm":
            return lambda rows: _with_rest(estimator.booster_.predict(rows, num_threads=1))
        case "logistic-regression":
            scaler, classifier = (step for _, step in estimator.steps)
            layers = [(classifier.coef_.T, classifier.intercept_)]
        case "mlp":
            scaler, classifier = (step for _, step in estimator.steps)
            layers = list(zip(classifier.coefs_, classifier.intercepts_, strict=True))
        case _:
            assert_never(name)
    return lambda rows: _network(layers, (rows - scaler.mean_) / scaler.scale_)


def _network(layers: Sequence[tuple[NDArray[np.float64], NDArray[np.float64]]], rows: NDArray[np.float64]) -> Any:
    """Return the probabilities (n, K) of a network of ReLU layers; for two classes it has one logistic output."""
    from scipy.special import expit

    for number, (weights, intercept) in enumerate(layers):
        rows = np.maximum(rows, 0.0) if number else rows
        total = np.zeros((len(rows), weights.shape[1]))
        for column, weight in zip(rows.T, weights, strict=True):
            total += column[:, None] * weight
        rows = total + intercept
    return _with_rest(expit(rows[:, 0])) if rows.shape[1] == 1 else _softmax(rows)


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the softmax of each row (n, K). Columns are added one by one: numpy adds in an order that depends on n."""
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    total = np.zeros(len(logits))
    for column in exponentials.T:
        total += column
    return np.asarray(exponentials / total[:, None])


def _with_rest(answered: Any) -> NDArray[np.float64]:
    """Return probabilities of two classes (n, 2) where those of the second are given (n,); others (n, K) unchanged."""
    given = np.asarray(answered, dtype=np.float64)
    return np.stack([1 - given, given], axis=1) if given.ndim == 1 else given


def _leaf_shares(tree: Any, rows: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the share (n, K) of each class in the leaf that each of ``rows`` (n, d) falls in."""
    return np.asarray(tree.predict(rows))


def _mean_share(trees: Sequence[Any], rows: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the mean of the trees' shares (n, K), summed in scikit-learn's order."""
    total: Any = 0.0
    for tree in trees:
        total += _leaf_shares(tree, rows)
    return np.asarray(total / len(trees))


def _fit_quietly(estimator: Any, features: NDArray[np.float64], number: NDArray[Any]) -> None:
    """Fit without convergence warnings: the number of iterations is part of the attack's definition."""
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        estimator.fit(features, number)


def _estimator(name: AttackModel, seed: int, number: NDArray[Any]) -> Any:
    match name:
        case "logistic-regression":
            return _logistic_regression(seed)
        case "decision-tree":
            return _decision_tree(seed)
        case "random-forest":
            return _random_forest(seed)
        case "mlp":
            # Early stopping holds out a tenth of each class, which may be no row if there are fewer than ten.
            return _mlp(seed, early_stopping=bool(np.unique(number, return_counts=True)[1].min() >= 10))
        case "lightgbm":
            return _lightgbm(seed)
        case _:
            assert_never(name)


def _standardized(estimator: Any) -> Any:
    """Put a scaler before the estimator; it is fitted on shadow rows only."""
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), estimator)


def _logistic_regression(seed: int) -> Any:
    from sklearn.linear_model import LogisticRegression

    return _standardized(LogisticRegression(solver="lbfgs", max_iter=400, random_state=seed))


def _decision_tree(seed: int) -> Any:
    from sklearn.tree import DecisionTreeClassifier

    return DecisionTreeClassifier(max_leaf_nodes=10, random_state=seed)


def _random_forest(seed: int) -> Any:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(n_estimators=500, min_samples_leaf=30, random_state=seed)


def _mlp(seed: int, *, early_stopping: bool) -> Any:
    from sklearn.neural_network import MLPClassifier

    return _standardized(MLPClassifier(early_stopping=early_stopping, learning_rate_init=0.01, random_state=seed))


def _lightgbm(seed: int) -> Any:
    from lightgbm import LGBMClassifier

    return LGBMClassifier(
        n_estimators=50, random_state=seed, n_jobs=1, deterministic=True, force_col_wise=True, verbosity=-1
    )
