"""Random forests trained and asked together.

A deletion grows anew only the trees whose bag held a record that is gone, and of those only what lies below a split
that changed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from math import isqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.models import FitTask, Fitted
from unlearnbench.core.posteriors import log_of
from unlearnbench.engine.banks import Member
from unlearnbench.engine.deltas import Base, Group, group_by_base
from unlearnbench.engine.sklearn_model import require_records, training_table
from unlearnbench.engine.trees.builder import Rules
from unlearnbench.engine.trees.ensemble import Grove, grow_grove, requests_of
from unlearnbench.engine.trees.forest_sums import add_up
from unlearnbench.engine.trees.table import Table, tabulate
from unlearnbench.engine.trees.tree_bank import as_float32


class Bags(NamedTuple):
    """How often each tree holds each record, ``weights`` (T, n), and the keys of the trees' feature draws (T,)."""

    weights: NDArray[np.uint8]
    keys: NDArray[np.uint64]


@dataclass(frozen=True, eq=False)
class ForestBank:
    """Fitted forests: the trees of a base set, and for each member the forms of those that changed."""

    grove: Grove

    def log_posteriors(self, x: NDArray[np.float64], which: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the log of the trees' mean class shares (len(which), n, C)."""
        shares, scale = self._whole_shares
        total = add_up(self.grove, shares, as_float32(x), which)
        return log_of(total / (scale * len(self.grove.roots)))

    @cached_property
    def _whole_shares(self) -> tuple[NDArray[np.int64], float]:
        """The nodes' class shares in whole multiples of 1 / scale, so small that their sum over trees fits 63 bits.

        Sums of whole numbers are exact in any order, so a forest may be told from another by what differs.
        """
        scale = 2.0 ** (62 - len(self.grove.roots).bit_length())
        return np.rint(self.grove.nodes.share * scale).astype(np.int64), scale


def fit_forests(tasks: Sequence[FitTask], rules: Rules, bags: Callable[[int, NDArray[np.int64]], Bags]) -> list[Fitted]:
    """Return the forest of each task: ``bags(seed, ids)`` gives its bags; the square root of the features is tried."""
    for task in tasks:
        require_records(task.data)

    @cache  # groups of several seeds share a base
    def table_of(base: Base) -> Table:
        return tabulate(*training_table(base.data), base.data.n_classes)

    seeds = [task.seeds.init for task in tasks]
    fitted: dict[int, Fitted] = {}
    for group in group_by_base([task.data for task in tasks], labels=seeds):
        drawn = bags(seeds[group.indices[0]], group.base.data.kept_ids)
        bank = ForestBank(_grow(group, table_of(group.base), rules, drawn))
        fitted.update((index, Member(bank, member)) for member, index in enumerate(group.indices))
    return [fitted[index] for index in range(len(tasks))]


def _grow(group: Group, table: Table, rules: Rules, bags: Bags) -> Grove:
    """Grow the forest of the base and each task's variant of it; a single task's forest is grown directly."""
    rules = rules._replace(max_features=max(1, isqrt(len(table.codes))))
    if len(group.removed) > 1:
        keys = np.tile(bags.keys, (len(group.removed), 1))
        return grow_grove(table, bags.weights, bags.keys, requests_of(group.removed, keys), rules)
    bags.weights[:, group.removed[0]] = 0
    grove = grow_grove(table, bags.weights, bags.keys, requests_of([], bags.keys[np.newaxis, :][:0]), rules)
    return grove._replace(patches=np.full((len(bags.keys), 1), -1))
