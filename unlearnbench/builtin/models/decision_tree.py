"""A single CART decision tree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, PositiveInt

from unlearnbench.core.models import FitTask, Fitted
from unlearnbench.engine import jit
from unlearnbench.engine.precision import in_float32
from unlearnbench.engine.sklearn_model import SklearnModel, SklearnTrees, training_table
from unlearnbench.engine.trees.builder import NO_LIMIT, GrowthLimits
from unlearnbench.engine.trees.tree_bank import fit_trees


class FittedTree(SklearnTrees):
    """A fitted decision tree; its regions are its leaves."""

    def region(self, x: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the leaf (n,) each record falls in, as the leaf's node number."""
        return np.asarray(self.estimator.apply(self.table(x)), dtype=np.int64)


@dataclass(frozen=True)
class DecisionTree(SklearnModel):
    """A CART tree with Gini impurity, grown best split first.

    ``init`` seeds the order in which features are tried, which decides between splits of equal gain only: ``same``
    keeps that order from the root on, ``fresh`` draws another, and where a data set has tied splits (Adult:
    education and educational-num) that alone gives another tree. The order of the records does not matter: ``slot``
    and ``compact`` are the same model, bitwise, and ``order: fresh`` draws nothing. Features are compared as float32:
    values that agree in it are one value, and UserError where one is too large for it.
    Posteriors are class shares in a leaf, so exact zeros (the floor) are common. A subset with one class gives a tree
    of one leaf; only an empty one fails.

    The fast engine grows the same trees as scikit-learn where no splits tie. Where some do, each node draws its own
    order of the features by ``init``, as scikit-learn's does by its ``random_state``, but by the node's path from the
    root, so that a deletion moves no tie elsewhere; within a feature the lowest threshold wins.

    Source: Breiman et al., 1984; Chen et al., CCS 2021, code: ``max_leaf_nodes = 10``.

    ``max_leaf_nodes``: leaves at most; null for as many as the records allow

    ``min_samples_leaf``: records a leaf must hold

    ``max_depth``: splits on the way to a leaf at most; null for no limit
    """

    max_leaf_nodes: Annotated[int, Field(ge=2)] | None = 10
    min_samples_leaf: PositiveInt = 1
    max_depth: PositiveInt | None = None

    def estimator(self, seed: int) -> Any:
        """Return the unfitted scikit-learn tree."""
        from sklearn.tree import DecisionTreeClassifier

        return DecisionTreeClassifier(
            max_leaf_nodes=self.max_leaf_nodes,
            min_samples_leaf=self.min_samples_leaf,
            max_depth=self.max_depth,
            random_state=seed,
        )

    def fit(self, task: FitTask, device: str) -> FittedTree:
        """Grow one tree; one class is no special case here, so that every tree has regions."""
        x, y = training_table(task.data)
        return FittedTree(self.estimator(task.seeds.init).fit(in_float32(x), y), task.data.n_classes)

    def has_fast_path(self, device: str) -> bool:
        """Return True where numba is available."""
        return jit.usable()

    def fit_many(self, tasks: Sequence[FitTask], device: str) -> Sequence[Fitted]:
        """Grow the trees together, what they share once; one by one with scikit-learn where numba is missing."""
        if not jit.usable():
            return super().fit_many(tasks, device)
        limits = GrowthLimits(
            min_leaf=self.min_samples_leaf,
            max_leaves=self.max_leaf_nodes or NO_LIMIT,
            max_depth=self.max_depth or NO_LIMIT,
            max_features=NO_LIMIT,
        )
        return fit_trees(tasks, limits)
