"""Leaf refit: boosted trees keep their splits, and their leaves are fitted again without the record."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from unlearnbench.builtin.models.lightgbm import LightGBM
from unlearnbench.core.errors import UserError
from unlearnbench.core.models import Fitted, TargetModel
from unlearnbench.core.posteriors import FLOOR, log_softmax
from unlearnbench.engine.sklearn_model import SklearnFitted, as_table, training_table
from unlearnbench.engine.unlearners import Deletion, FunctionUnlearner
from unlearnbench.hooks.records import Seen

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RefittedTrees:
    """Boosted trees with leaves of their own: T rounds of a tree for each of K scores, K = 1 for two classes."""

    booster: Any
    """Of LightGBM; its splits are used, its leaves are not."""
    classes: NDArray[np.int64]
    """The classes (k,) that the original's records have."""
    n_classes: int
    rate: float
    """The learning rate."""
    start: Floats
    """(K,): the scores before the first tree."""
    values: tuple[Floats, ...] = ()
    """The leaves of each of the T K trees, those of a round together."""

    def log_posteriors(self, x: Floats) -> Floats:
        """Return log-posteriors (n, n_classes); a class that the original lacked gets the floor."""
        leaves = self.leaves(as_table(x))
        scores = np.tile(self.start, (len(leaves), 1))
        for tree, values in enumerate(self.values):
            scores[:, tree % len(self.start)] += values[leaves[:, tree]]
        full = np.full((len(x), self.n_classes), np.log(FLOOR))
        full[:, self.classes] = log_shares(scores)
        return full

    def leaves(self, table: Floats) -> NDArray[np.int64]:
        """Return the leaf (n, T K) of each row in each tree."""
        found = np.asarray(self.booster.predict(table, pred_leaf=True), dtype=np.int64)
        return found.reshape(len(table), -1)


def log_shares(scores: Floats) -> Floats:
    """Return the log-posteriors (n, k) of scores (n, K): logistic for K = 1, else softmax."""
    return log_softmax(np.column_stack([0 * scores, scores]) if scores.shape[1] == 1 else scores)


@dataclass(frozen=True)
class LeafRefit(FunctionUnlearner):
    """Fit the values of all leaves again to the retained records; splits, and the bins behind them, stay.

    Leaf values are LightGBM's, round by round: - ``learning_rate`` sum g / sum h over the records of the leaf, from the
    class shares of the retained records on. With nothing to forget the model stays, to rounding. A leaf without records
    gets 0; a class whose last record is forgotten keeps its scores; a model of one class stays as it is. UserError for
    an added record of a class that the model lacks. A baseline, not exact: what a record did to the splits stays.

    LightGBM's own ``refit`` forgets the scores before the first tree, which ruins a model of few trees.
    """

    sees: ClassVar[tuple[Seen, ...]] = ("retain-set", "labels")

    def refusal(self, model: TargetModel) -> str | None:
        """Refuse what is not LightGBM."""
        return None if isinstance(model, LightGBM) else "leaf-refit goes with lightgbm only"

    def unlearn(self, deletion: Deletion) -> Fitted:
        """Fit the leaves again."""
        model, fitted = deletion.original.model, deletion.fitted
        if not isinstance(fitted, SklearnFitted | RefittedTrees) or not isinstance(model, LightGBM):
            return fitted
        x, y = training_table(deletion.retain)
        trees = _trees(fitted, model.learning_rate)
        if not (known := np.isin(y, trees.classes)).all():
            raise UserError(f"leaf-refit cannot add class {y[~known][0]}, of which the original had no record")
        return refitted(trees, x, np.searchsorted(trees.classes, y))


def _trees(fitted: SklearnFitted | RefittedTrees, rate: float) -> RefittedTrees:
    if isinstance(fitted, RefittedTrees):
        return fitted
    found = fitted.estimator
    return RefittedTrees(found.booster_, found.classes_, fitted.n_classes, rate, np.empty(0))


def refitted(trees: RefittedTrees, x: Floats, y: NDArray[np.int64]) -> RefittedTrees:
    """Return the trees with leaves fitted to rows (n, d) of classes (n,), which are places in ``trees.classes``."""
    k = len(trees.classes)
    targets = (y[:, None] == (np.array([1]) if k == 2 else np.arange(k))).astype(np.float64)
    counts = [tree["num_leaves"] for tree in trees.booster.dump_model()["tree_info"]]
    leaves, values = trees.leaves(x), list[Floats]()
    start = start_of(targets)
    scores = np.tile(start, (len(x), 1))
    for first in range(0, len(counts), len(start)):
        shares = np.exp(log_shares(scores))[:, -len(start) :]
        gradients, curvatures = shares - targets, shares * (1 - shares) * (k / (k - 1) if k > 2 else 1)
        for own, tree in enumerate(range(first, first + len(start))):
            values.append(-trees.rate * _ratios(leaves[:, tree], gradients[:, own], curvatures[:, own], counts[tree]))
            scores[:, own] += values[-1][leaves[:, tree]]
    return replace(trees, start=start, values=tuple(values))


def start_of(targets: Floats) -> Floats:
    """Return the scores (K,) that give each class its share of the records; a share of 0 counts as 1e-15."""
    shares = np.clip(targets.mean(axis=0), 1e-15, 1 - 1e-15)
    return np.asarray(np.log(shares / (1 - shares)) if len(shares) == 1 else np.log(shares))


def _ratios(leaf: NDArray[np.int64], gradients: Floats, curvatures: Floats, count: int) -> Floats:
    """Return sum g / sum h of each leaf (count,); 0 for one without records, and for a tree without a split."""
    g, h = (np.bincount(leaf, part, count) for part in (gradients, curvatures))
    return np.divide(g, h, out=np.zeros(count), where=(h > 0) & (count > 1))
