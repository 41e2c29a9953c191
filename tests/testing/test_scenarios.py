"""Each check of scenarios lets a good one pass, and finds the one that breaks it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray

from unlearnbench import Request, Role, Scenario, Step
from unlearnbench.core.models import Fitted
from unlearnbench.core.originals import Original
from unlearnbench.core.pools import EpisodeSizes, Pools
from unlearnbench.core.records import Records
from unlearnbench.core.scenarios import Queries
from unlearnbench.core.seeding import SeedPath
from unlearnbench.core.strata import Candidates, Ids, StratumScenario
from unlearnbench.testing import checks_of

if TYPE_CHECKING:
    from tests.testing.conftest import Found


class Good(Scenario):
    """Every request deletes one record and adds one."""

    def deletions_needed(self, sizes: EpisodeSizes) -> int:
        return sizes.requests

    def additions_needed(self, sizes: EpisodeSizes) -> int:
        return sizes.requests

    def requests(self, pools: Pools, sizes: EpisodeSizes, seeds: SeedPath, original: Original) -> list[Request]:
        spare = pools.addable[(seeds / "spare").permutation(len(pools.addable), sizes.requests)]
        return [Request((Step(pools.deletable[r : r + 1], spare[r : r + 1]),)) for r in range(sizes.requests)]


class OneTooFew(Good):
    def requests(self, pools: Pools, sizes: EpisodeSizes, seeds: SeedPath, original: Original) -> list[Request]:
        return super().requests(pools, sizes, seeds, original)[1:]


class NeedsMore(Good):
    def requests(self, pools: Pools, sizes: EpisodeSizes, seeds: SeedPath, original: Original) -> list[Request]:
        return super().requests(replace(pools, deletable=pools.unseen), sizes, seeds, original)


class Twice(Good):
    def requests(self, pools: Pools, sizes: EpisodeSizes, seeds: SeedPath, original: Original) -> list[Request]:
        first, *_ = super().requests(pools, sizes, seeds, original)
        return [first] * sizes.requests


class AddsUndeclared(Good):
    def additions_needed(self, sizes: EpisodeSizes) -> int:
        return 0

    def requests(self, pools: Pools, sizes: EpisodeSizes, seeds: SeedPath, original: Original) -> list[Request]:
        return super().requests(replace(pools, addable=pools.unseen), sizes, seeds, original)


class Unseeded(Good):
    def requests(self, pools: Pools, sizes: EpisodeSizes, seeds: SeedPath, original: Original) -> list[Request]:
        targets = np.random.default_rng().permutation(pools.deletable)
        return super().requests(replace(pools, deletable=targets), sizes, seeds, original)


class GlobalDraws(Good):
    def requests(self, pools: Pools, sizes: EpisodeSizes, seeds: SeedPath, original: Original) -> list[Request]:
        np.random.shuffle([1, 2])  # noqa: NPY002 - that is what is wrong
        return super().requests(pools, sizes, seeds, original)


class InPlace(Good):
    def requests(self, pools: Pools, sizes: EpisodeSizes, seeds: SeedPath, original: Original) -> list[Request]:
        pools.deletable.sort()
        return super().requests(pools, sizes, seeds, original)


class NobodyToTellFrom(Good):
    def queries(
        self, request: Request, pools: Pools, sizes: EpisodeSizes, seeds: SeedPath, original: Original, fitted: Fitted
    ) -> Queries:
        queries = super().queries(request, pools, sizes, seeds, original, fitted)
        kept = queries.role != Role.UNSEEN
        return type(queries)(queries.ids[kept], queries.role[kept], queries.position[kept])


class CallsTheDeletedUnseen(Good):
    def queries(
        self, request: Request, pools: Pools, sizes: EpisodeSizes, seeds: SeedPath, original: Original, fitted: Fitted
    ) -> Queries:
        queries = super().queries(request, pools, sizes, seeds, original, fitted)
        return replace(queries, ids=queries.ids[::-1])


class ThreeClassesOnly(Good):
    def queries(
        self, request: Request, pools: Pools, sizes: EpisodeSizes, seeds: SeedPath, original: Original, fitted: Fitted
    ) -> Queries:
        if original.data.n_classes != 3:
            raise ValueError("three classes, please")
        return super().queries(request, pools, sizes, seeds, original, fitted)


class TrainingSetAsStratum(StratumScenario):
    """Decides by who is trained on."""

    size: int | None = 1

    def strata(self, candidates: Candidates, seeds: SeedPath) -> list[Ids]:
        own = candidates._original.data.ids
        return [np.union1d(own, candidates.ids[:20])]


class OthersEligible(Good):
    def eligible(self, records: Records) -> NDArray[np.bool_]:
        return np.zeros(len(records), dtype=np.bool_)


class NegativesOfOtherStrata(Good, StratumScenario):
    """Queries whoever is unseen."""

    size: int | None = 1

    def strata(self, candidates: Candidates, seeds: SeedPath) -> list[Ids]:
        return [candidates.ids]

    def requests(self, pools: Pools, sizes: EpisodeSizes, seeds: SeedPath, original: Original) -> list[Request]:
        made = super().requests(pools, sizes, seeds, original)
        return [replace(request, stratum=request.forgotten) for request in made]

    def queries(
        self, request: Request, pools: Pools, sizes: EpisodeSizes, seeds: SeedPath, original: Original, fitted: Fitted
    ) -> Queries:
        return super().queries(replace(request, stratum=None), pools, sizes, seeds, original, fitted)


BROKEN = [
    (OneTooFew, "returns-the-requested-number"),
    (NeedsMore, "deletes-training-records-once"),
    (OthersEligible, "deletes-training-records-once"),
    (Twice, "deletes-training-records-once"),
    (AddsUndeclared, "adds-addable-records-once"),
    (Unseeded, "same-seeds-same-requests"),
    (GlobalDraws, "leaves-the-process-as-it-was"),
    (InPlace, "inputs-stay-as-they-were"),
    (NobodyToTellFrom, "both-roles-are-queried"),
    (CallsTheDeletedUnseen, "roles-are-correct"),
    (TrainingSetAsStratum, "strata-do-not-depend-on-the-training-set"),
    (NegativesOfOtherStrata, "strata-do-not-depend-on-the-training-set"),
    (ThreeClassesOnly, "edge-cases"),
]


def test_a_good_scenario_passes(found: Found) -> None:
    assert found("scenario", Good) == set()


@pytest.mark.parametrize(("cls", "check"), BROKEN)
def test_what_is_broken_is_found(cls: type[Scenario], check: str, found: Found) -> None:
    assert check in found("scenario", cls)


def test_every_check_fails_for_one_of_these() -> None:
    assert {check for _, check in BROKEN} == {check.name for check in checks_of("scenario")}
