"""Random forests, trained and queried together.

A deletion changes only the trees whose bag held a record that is removed, and of those only the nodes below a split
that changes.
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
from unlearnbench.engine.precision import in_float32
from unlearnbench.engine.sklearn_model import as_table, require_records, training_table
from unlearnbench.engine.trees.builder import GrowthLimits
from unlearnbench.engine.trees.ensemble import grow_ensemble, requests_of
from unlearnbench.engine.trees.forest_sums import add_up
from unlearnbench.engine.trees.nodes import TreeEnsemble
from unlearnbench.engine.trees.table import Table, tabulate


class Bags(NamedTuple):
    """The bags of T trees on n records."""

    weights: NDArray[np.uint8]
    """(T, n): how often each tree's bag holds each record."""
    keys: NDArray[np.uint64]
    """(T,): the key of each tree's feature draws."""


@dataclass(frozen=True, eq=False)
class ForestBank:
    """Fitted forests."""

    ensemble: TreeEnsemble
    """The trees of a base, and for each member the variants of those that changed."""

    def log_posteriors(self, x: NDArray[np.float64], which: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the log of the trees' mean class shares (len(which), n, C)."""
        shares, scale = self._whole_shares
        total = add_up(self.ensemble, shares, in_float32(as_table(x)), which)
        return log_of(total / (scale * len(self.ensemble.roots)))

    @cached_property
    def _whole_shares(self) -> tuple[NDArray[np.int64], float]:
        """The nodes' class shares as whole multiples of 1 / scale, so small that their sum over trees fits 63 bits.

        Sums of whole numbers are exact in any order, so a forest's sum may be computed from another's and the changes.
        """
        scale = 2.0 ** (62 - len(self.ensemble.roots).bit_length())
        return np.rint(self.ensemble.nodes.share * scale).astype(np.int64), scale


def fit_forests(
    tasks: Sequence[FitTask], limits: GrowthLimits, bags: Callable[[int, NDArray[np.int64]], Bags]
) -> list[Fitted]:
    """Return the forest of each task, in the order of ``tasks``.

    ``bags(seed, ids)`` returns the bags of a forest on these records. The square root of the features is tried at each
    node.
    """
    for task in tasks:
        require_records(task.data)

    @cache  # groups of several seeds share a base
    def table_of(base: Base) -> Table:
        return tabulate(*training_table(base.data), base.data.n_classes)

    seeds = [task.seeds.init for task in tasks]
    fitted: dict[int, Fitted] = {}
    for group in group_by_base([task.data for task in tasks], labels=seeds):
        drawn = bags(seeds[group.indices[0]], group.base.data.kept_ids)
        bank = ForestBank(_grow(group, table_of(group.base), limits, drawn))
        fitted.update((index, Member(bank, member)) for member, index in enumerate(group.indices))
    return [fitted[index] for index in range(len(tasks))]


def _grow(group: Group, table: Table, limits: GrowthLimits, bags: Bags) -> TreeEnsemble:
    """Grow the forest of the base and each task's variant of it; a single task's forest is grown directly."""
    limits = limits._replace(max_features=max(1, isqrt(len(table.codes))))
    if len(group.removed) > 1:
        keys = np.tile(bags.keys, (len(group.removed), 1))
        return grow_ensemble(table, bags.weights, bags.keys, requests_of(group.removed, keys), limits)
    bags.weights[:, group.removed[0]] = 0
    ensemble = grow_ensemble(table, bags.weights, bags.keys, requests_of([], bags.keys[np.newaxis, :][:0]), limits)
    return ensemble._replace(variants=np.full((len(bags.keys), 1), -1))
