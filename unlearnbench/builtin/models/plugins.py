"""The target models that come with the package."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from unlearnbench.builtin.papers import CAO, CHEN
from unlearnbench.hooks.records import ModelPlugin
from unlearnbench.hooks.specs import hookimpl

_HERE: Final = "unlearnbench.builtin.models"


@hookimpl
def unlearnbench_models() -> Iterator[ModelPlugin]:
    """Yield the target models."""
    yield ModelPlugin(
        name="logistic-regression",
        summary="Logistic regression",
        factory=f"{_HERE}.logistic_regression:LogisticRegression",
    )
    yield ModelPlugin(
        name="decision-tree",
        summary="One decision tree (CART)",
        factory=f"{_HERE}.decision_tree:DecisionTree",
    )
    yield ModelPlugin(
        name="random-forest",
        summary="A forest of decision trees",
        factory=f"{_HERE}.random_forest:RandomForest",
        reference="Breiman 2001, doi 10.1023/A:1010933404324",
    )
    yield ModelPlugin(
        name="mlp",
        summary="A fully connected neural network",
        factory=f"{_HERE}.mlp.model:MLP",
    )
    yield ModelPlugin(
        name="simple-cnn",
        summary="A small convolutional neural network with dropout, for images",
        factory=f"{_HERE}.simple_cnn.model:SimpleCNN",
        reference=CHEN,
    )
    yield ModelPlugin(
        name="lightgbm",
        summary="Gradient-boosted trees",
        factory=f"{_HERE}.lightgbm:LightGBM",
        reference="Ke et al. 2017, NeurIPS 30",
    )
    yield ModelPlugin(
        name="naive-bayes",
        summary="Gaussian naive Bayes",
        factory=f"{_HERE}.naive_bayes:NaiveBayes",
        reference=CAO,
    )
    yield ModelPlugin(
        name="nearest-neighbours",
        summary="The k nearest neighbours",
        factory=f"{_HERE}.nearest_neighbours:NearestNeighbours",
        reference="Cover and Hart 1967, doi 10.1109/TIT.1967.1053964",
    )
    yield ModelPlugin(
        name="ridge",
        summary="Ridge regression on the classes",
        factory=f"{_HERE}.ridge:Ridge",
        reference="Hoerl and Kennard 1970, doi 10.1080/00401706.1970.10488634",
    )
