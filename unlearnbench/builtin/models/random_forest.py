"""A random forest, by default with draws that a deletion leaves alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import PositiveInt

from unlearnbench.core.errors import UserError
from unlearnbench.core.models import FitTask, Fitted
from unlearnbench.core.posteriors import log_of, spread_classes
from unlearnbench.core.records import Order
from unlearnbench.engine import jit
from unlearnbench.engine.precision import in_float32
from unlearnbench.engine.sklearn_model import SklearnModel, SklearnTrees, as_table, training_table
from unlearnbench.engine.trees.builder import NO_LIMIT, GrowthLimits
from unlearnbench.engine.trees.draws import bag_weights, tree_keys, tree_seed
from unlearnbench.engine.trees.forests import Bags, fit_forests


@dataclass(frozen=True, eq=False)
class KeyedForest:
    """Fitted scikit-learn trees, in the order of their keys; None where a bag was empty."""

    trees: tuple[Any, ...]
    n_classes: int

    def log_posteriors(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the log of the trees' mean posteriors (n, n_classes), summed in the order of the trees."""
        table = in_float32(as_table(x))
        total = np.zeros((len(table), self.n_classes))
        for tree in self.trees:
            total += self._posteriors(tree, table)
        return log_of(total / len(self.trees))

    def _posteriors(self, tree: Any, x: NDArray[np.float32]) -> NDArray[np.float64]:
        if tree is None:  # an empty tree predicts the uniform distribution
            return np.full((len(x), self.n_classes), 1 / self.n_classes)
        return spread_classes(tree.predict_proba(x), tree.classes_, self.n_classes)


@dataclass(frozen=True)
class RandomForest(SklearnModel):
    """A random forest (Gini, square root of the features tried at each split, mean of the trees' posteriors).

    The bags are drawn by ``init``; ``draws`` says what a deletion does to them:

    - ``keyed``: each tree is a scikit-learn tree on a bag of Poisson(1) counts keyed by (``init``, tree, record), so
      every other record keeps its count when one goes, and a tree that did not hold the record stays the same,
      bitwise. In a tree that did, the feature draws stay the same from the root up to the first node that changes.
      ``slot`` and ``compact`` are the same model.
    - ``redrawn``: scikit-learn's RandomForestClassifier, whose bootstrap draws every bag again when the number of
      records changes, whatever the seed and the order. It has ``order: fresh`` only; masked records are an error.

    ``init: fresh`` draws other bags. Keyed draws do not depend on the order of the records, so ``order: fresh`` draws
    nothing. A class that a bag lacks has probability 0 in that tree; an empty bag gives a tree that answers the same
    for all classes. UserError on an empty training set, and where a feature is too large for float32, in which trees
    compare. No regions.

    The fast engine grows the same kind of trees on the same bags, but draws the features of a node by the node's path
    from the root where scikit-learn's generator runs on from node to node. A deletion then moves no draw at all: a
    tree changes only below a split that changes. Forests of the two engines are different draws, equally accurate.

    Source: Breiman 2001; Chen et al., CCS 2021, code: 500 trees, ``min_samples_leaf = 30``. Poisson bags: Oza and
    Russell 2001.

    ``n_estimators``: number of trees

    ``min_samples_leaf``: distinct records of the bag that a leaf must hold

    ``max_depth``: splits on the way to a leaf at most; null for no limit

    ``draws``: what a deletion does to the other records' bags: keyed keeps them, redrawn draws all again
    """

    n_estimators: PositiveInt = 500
    min_samples_leaf: PositiveInt = 30
    max_depth: PositiveInt | None = None
    draws: Literal["keyed", "redrawn"] = "keyed"

    @property
    def orders(self) -> frozenset[Order]:
        """All orders for keyed draws; for redrawn ones ``fresh`` alone."""
        return super().orders if self.draws == "keyed" else frozenset({"fresh"})

    def estimator(self, seed: int) -> Any:
        """Return scikit-learn's forest, for ``redrawn``."""
        from sklearn.ensemble import RandomForestClassifier

        return RandomForestClassifier(n_estimators=self.n_estimators, random_state=seed, **self._growth)

    def fit(self, task: FitTask, device: str) -> Fitted:
        """Train one forest."""
        x, y = training_table(task.data)
        if self.draws == "redrawn":
            if not task.data.mask.all():
                raise UserError(
                    "a random forest with draws: redrawn cannot mask records: use order: fresh or draws: keyed"
                )
            return SklearnTrees(self.estimator(task.seeds.init).fit(in_float32(x), y), task.data.n_classes)
        table, ids, seed = in_float32(x), task.data.kept_ids, task.seeds.init
        trees = [self._tree(table, y, bag_weights(seed, t, ids), tree_seed(seed, t)) for t in range(self.n_estimators)]
        return KeyedForest(tuple(trees), task.data.n_classes)

    def has_fast_path(self, device: str) -> bool:
        """Return True for keyed draws, where numba is available."""
        return self.draws == "keyed" and jit.usable()

    def fit_many(self, tasks: Sequence[FitTask], device: str) -> Sequence[Fitted]:
        """Grow keyed forests together, each deletion's from its original's; all others one by one."""
        if not self.has_fast_path(device):
            return super().fit_many(tasks, device)
        limits = GrowthLimits(
            min_leaf=self.min_samples_leaf,
            max_leaves=NO_LIMIT,
            max_depth=self.max_depth or NO_LIMIT,
            max_features=NO_LIMIT,
            linked=True,
        )
        return fit_forests(tasks, limits, self._bags)

    def _bags(self, seed: int, ids: NDArray[np.int64]) -> Bags:
        trees = np.arange(self.n_estimators)
        return Bags(bag_weights(seed, trees[:, np.newaxis], ids).astype(np.uint8), tree_keys(seed, trees))

    def _tree(self, x: NDArray[np.float32], y: NDArray[np.int64], weights: NDArray[np.int64], seed: int) -> Any:
        from sklearn.tree import DecisionTreeClassifier

        # A row of weight 0 would still bear on split thresholds and feature draws, so it leaves the sample.
        bag = weights > 0
        if not bag.any():
            return None
        tree = DecisionTreeClassifier(max_features="sqrt", random_state=seed, **self._growth)
        return tree.fit(x[bag], y[bag], sample_weight=weights[bag])

    @property
    def _growth(self) -> dict[str, int | None]:
        return {"min_samples_leaf": self.min_samples_leaf, "max_depth": self.max_depth}
