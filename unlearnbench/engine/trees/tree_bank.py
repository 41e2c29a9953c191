"""Decision trees, trained and queried together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.models import FitTask, Fitted
from unlearnbench.core.posteriors import log_of
from unlearnbench.core.seeding import keyed_bits
from unlearnbench.engine.banks import Member
from unlearnbench.engine.deltas import Group, group_by_base
from unlearnbench.engine.precision import in_float32
from unlearnbench.engine.sklearn_model import as_table, require_records, training_table
from unlearnbench.engine.trees.builder import GrowthLimits
from unlearnbench.engine.trees.ensemble import grow_ensemble, requests_of
from unlearnbench.engine.trees.nodes import Nodes, find_leaves
from unlearnbench.engine.trees.table import tabulate


@dataclass(frozen=True, eq=False)
class TreeBank:
    """Fitted trees."""

    nodes: Nodes
    """The nodes of all."""
    roots: NDArray[np.int64]
    """(K,): the root of each."""

    def log_posteriors(self, x: NDArray[np.float64], which: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the log class shares (len(which), n, C) of the leaves that ``x`` reaches."""
        return log_of(self.nodes.share)[self._leaves(x, which)]

    def regions(self, x: NDArray[np.float64], which: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the leaf (len(which), n) that each row of ``x`` reaches, numbered within its tree."""
        return np.asarray(self._leaves(x, which) - self.roots[which][:, np.newaxis])

    def _leaves(self, x: NDArray[np.float64], which: NDArray[np.int64]) -> NDArray[np.int64]:
        return find_leaves(self.nodes, self.roots[which], in_float32(as_table(x)))


@dataclass(frozen=True, eq=False)
class TreeMember(Member):
    """A fitted tree; its regions are its leaves."""

    bank: TreeBank

    def region(self, x: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the leaf (n,) that each record reaches, as the leaf's node number."""
        return np.asarray(self.bank.regions(x, np.array([self.index]))[0])


def fit_trees(tasks: Sequence[FitTask], limits: GrowthLimits) -> list[Fitted]:
    """Return the tree of each task, in the order of ``tasks``; all features are tried at each node."""
    for task in tasks:
        require_records(task.data)
    fitted: dict[int, Fitted] = {}
    for group in group_by_base([task.data for task in tasks]):
        bank = _grow(group, [tasks[index].seeds.init for index in group.indices], limits)
        fitted.update((index, TreeMember(bank, member)) for member, index in enumerate(group.indices))
    return [fitted[index] for index in range(len(tasks))]


def _grow(group: Group, seeds: Sequence[int], limits: GrowthLimits) -> TreeBank:
    """Grow the tree of the base and each task's variant of it; a single task's tree is grown directly."""
    data = group.base.data
    table = tabulate(*training_table(data), data.n_classes)
    weights = np.ones((1, len(data)), dtype=np.uint8)
    keys = keyed_bits(0, seeds)[:, np.newaxis]
    if len(group.removed) == 1:
        weights[0, group.removed[0]] = 0
        requests = requests_of([], keys[:0])
    else:
        requests = requests_of(group.removed, keys)
    ensemble = grow_ensemble(table, weights, keys[0], requests, limits._replace(max_features=len(table.codes)))
    roots = np.where(ensemble.variants[0] < 0, ensemble.roots[0], ensemble.variants[0])
    return TreeBank(ensemble.nodes, roots if len(roots) else ensemble.roots)
