"""Decision trees trained and asked together."""

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
from unlearnbench.engine.sklearn_model import as_table, require_records, training_table
from unlearnbench.engine.trees.builder import Rules
from unlearnbench.engine.trees.ensemble import Nodes, grow_grove, requests_of
from unlearnbench.engine.trees.table import tabulate
from unlearnbench.engine.trees.walk import leaves


@dataclass(frozen=True, eq=False)
class TreeBank:
    """Fitted trees: the nodes of all and the root of each (K,)."""

    nodes: Nodes
    roots: NDArray[np.int64]

    def log_posteriors(self, x: NDArray[np.float64], which: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the log class shares (len(which), n, C) of the leaves that ``x`` falls in."""
        return log_of(self.nodes.share)[self._leaves(x, which)]

    def regions(self, x: NDArray[np.float64], which: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the leaf (len(which), n) that each row of ``x`` falls in, numbered within its tree."""
        return np.asarray(self._leaves(x, which) - self.roots[which][:, np.newaxis])

    def _leaves(self, x: NDArray[np.float64], which: NDArray[np.int64]) -> NDArray[np.int64]:
        return leaves(self.nodes, self.roots[which], as_float32(x))


@dataclass(frozen=True, eq=False)
class TreeMember(Member):
    """A fitted tree; its regions are its leaves."""

    bank: TreeBank

    def region(self, x: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the leaf (n,) each record falls in, as the leaf's node number."""
        return np.asarray(self.bank.regions(x, np.array([self.index]))[0])


def as_float32(x: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return records (n, ...) as rows (n, d) of the numbers that trees compare."""
    return np.ascontiguousarray(as_table(x), dtype=np.float32)


def fit_trees(tasks: Sequence[FitTask], rules: Rules) -> list[Fitted]:
    """Return the tree of each task; ``rules.max_features`` may exceed the number there is."""
    for task in tasks:
        require_records(task.data)
    fitted: dict[int, Fitted] = {}
    for group in group_by_base([task.data for task in tasks]):
        bank = _grow(group, [tasks[index].seeds.init for index in group.indices], rules)
        fitted.update((index, TreeMember(bank, member)) for member, index in enumerate(group.indices))
    return [fitted[index] for index in range(len(tasks))]


def _grow(group: Group, seeds: Sequence[int], rules: Rules) -> TreeBank:
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
    grove = grow_grove(table, weights, keys[0], requests, rules._replace(max_features=len(table.codes)))
    roots = np.where(grove.patches[0] < 0, grove.roots[0], grove.patches[0])
    return TreeBank(grove.nodes, roots if len(roots) else grove.roots)
