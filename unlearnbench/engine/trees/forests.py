"""Random forests trained and asked together.

A deletion grows anew only the trees whose bag held a record that is gone, and of those only what lies below a split
that changed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import isqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.models import FitTask, Fitted
from unlearnbench.core.posteriors import log_of
from unlearnbench.engine.banks import Member
from unlearnbench.engine.trees.builder import Rules
from unlearnbench.engine.trees.ensemble import Grove, grow_grove, requests_of
from unlearnbench.engine.trees.forest_sums import add_up
from unlearnbench.engine.trees.tasks import Group, groups_of
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
    fitted: dict[int, Fitted] = {}
    for group in groups_of(tasks, by_seed=True):
        bank = ForestBank(_grow(group, rules, bags(group.seeds[0], group.base.ids)))
        fitted.update((place, Member(bank, index)) for index, place in enumerate(group.places))
    return [fitted[place] for place in range(len(tasks))]


def _grow(group: Group, rules: Rules, bags: Bags) -> Grove:
    """Grow the forests of a group: the base set's, and what each task changes; a lone task's at once."""
    table = group.base.table
    rules = rules._replace(max_features=max(1, isqrt(len(table.codes))))
    if len(group.gone) > 1:
        keys = np.tile(bags.keys, (len(group.gone), 1))
        return grow_grove(table, bags.weights, bags.keys, requests_of(group.gone, keys), rules)
    bags.weights[:, group.gone[0]] = 0
    grove = grow_grove(table, bags.weights, bags.keys, requests_of([], bags.keys[np.newaxis, :][:0]), rules)
    return grove._replace(patches=np.full((len(bags.keys), 1), -1))
