"""Scenarios that delete records of a certain kind: which kinds there are is decided without knowing who was trained on.

Where only unusual records are deleted, usual unseen ones are no negatives: they would be told apart without any model.
So both are drawn from one stratum, a set of records that is the same whoever of them is in the training set.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.arrays import ReadOnlyArrays
from unlearnbench.core.errors import UserError
from unlearnbench.core.messages import counted
from unlearnbench.core.models import Fitted, Seeds
from unlearnbench.core.originals import Original
from unlearnbench.core.pools import EpisodeSizes, Pools
from unlearnbench.core.records import Records, Step, TrainingSet, among
from unlearnbench.core.scenarios import Request, Scenario
from unlearnbench.core.seeding import SeedPath
from unlearnbench.core.training import TrainingJob

Ids = NDArray[np.int64]

UNSEEN = 2
"""How many times as many unseen candidates there are as others: a whole stratum then has enough negatives as a rule."""


@dataclass(frozen=True, eq=False)
class Candidates(ReadOnlyArrays):
    """Records that may be deleted and, if they are not in the training set, queried as negatives."""

    records: Records
    ids: Ids
    """Ids (n,), ascending: those that may be deleted and, at most :data:`UNSEEN` times as many, unseen ones. Nothing
    tells them apart."""
    _original: Original

    @classmethod
    def of(cls, pools: Pools, original: Original) -> Candidates:
        """Return the candidates of an original."""
        ids = np.sort(np.concatenate([pools.deletable, pools.unseen[: UNSEEN * len(pools.deletable)]]))
        return cls(original.data.records, ids, original)

    @property
    def x(self) -> NDArray[np.float64]:
        """Features (n, ...)."""
        return self.records.x[self.ids]

    @property
    def y(self) -> Ids:
        """Labels (n,)."""
        return self.records.y[self.ids]

    def train(self, sets: Sequence[NDArray[np.bool_]], seeds: SeedPath) -> list[Fitted]:
        """Return models of the original's kind, each trained on the candidates that one of ``sets`` (n,) chooses."""
        jobs = [
            TrainingJob(TrainingSet.of(self.records, self.ids[chosen]), Seeds.at(seeds / number))
            for number, chosen in enumerate(sets)
        ]
        return self._original.train(jobs)


class StratumScenario(Scenario):
    """Each request deletes ``size`` records of one stratum, in one step. Authors must write ``strata``.

    Positive: a forgotten record. Negative: an unseen record of the same stratum. Given how many records of a stratum
    were trained on, all choices of which ones are equally likely: so where nothing leaks, no attack is above chance.
    Requests take the strata in turn, without those that have too few records left, or fewer unseen records than a
    request deletes. UserError where the requests cannot be made in this way.
    """

    size: int | None
    """Records per request, a parameter; None for all of the stratum that may be deleted."""

    @abstractmethod
    def strata(self, candidates: Candidates, seeds: SeedPath) -> Sequence[Ids]:
        """Return the strata, each as ids of candidates, in the order in which requests take them."""

    def deletions_needed(self, sizes: EpisodeSizes) -> int:
        """Return the number of records in all requests: the least number where whole strata are deleted."""
        return (self.size or 1) * sizes.requests

    def requests(self, pools: Pools, sizes: EpisodeSizes, seeds: SeedPath, original: Original) -> list[Request]:
        """Delete the first of the shuffled deletable records that are in the stratum of each request."""
        candidates = Candidates.of(pools, original)
        strata = original.once((self, seeds), lambda: self.strata(candidates, seeds / "strata"))
        requests = list(islice(self._possible(strata, pools, sizes), sizes.requests))
        if len(requests) < sizes.requests:
            left = counted(self.size, "record") if self.size else "some records"
            raise UserError(
                f"only {len(requests)} of {sizes.requests} requests can be made: each needs a stratum with "
                f"{left} left to delete and as many unseen ones to query, negatives are "
                f"{sizes.negatives}; lower size or requests, or raise negatives"
            )
        return requests

    def _possible(self, strata: Sequence[Ids], pools: Pools, sizes: EpisodeSizes) -> Iterator[Request]:
        left, unfit = pools.deletable, 0
        for stratum in cycle(strata):
            forget = left[among(left, stratum)][: self.size]
            negatives = min(sizes.negatives, int(among(pools.unseen, stratum).sum()))
            if (self.size or 1) <= len(forget) <= negatives and len(forget) < len(pools.training):
                yield Request((Step(forget),), stratum)
                left, unfit = left[~among(left, forget)], 0
            else:
                unfit += 1
            if unfit == len(strata):
                return


def lowest(values: NDArray[np.float64], share: float, seeds: SeedPath) -> NDArray[np.int64]:
    """Return the positions of the ``share`` lowest of ``values`` (n,), at least one; equal ones are drawn."""
    order = np.lexsort((seeds.permutation(len(values)), values))
    return order[: max(1, round(share * len(values)))]
