"""Each check of scenarios lets a good one pass, and finds the one that breaks it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from unlearnbench import Request, Role, Scenario, Step
from unlearnbench.testing import checks_of


class Good(Scenario):
    """Every request deletes one record and adds one."""

    def deletions_needed(self, sizes: Any) -> Any:
        return sizes.requests

    def additions_needed(self, sizes: Any) -> Any:
        return sizes.requests

    def requests(self, pools: Any, sizes: Any, seeds: Any, original: Any) -> Any:
        spare = pools.addable[(seeds / "spare").permutation(len(pools.addable), sizes.requests)]
        return [Request((Step(pools.deletable[r : r + 1], spare[r : r + 1]),)) for r in range(sizes.requests)]


class OneTooFew(Good):
    def requests(self, pools: Any, sizes: Any, seeds: Any, original: Any) -> Any:
        return super().requests(pools, sizes, seeds, original)[1:]


class NeedsMore(Good):
    def requests(self, pools: Any, sizes: Any, seeds: Any, original: Any) -> Any:
        return super().requests(replace(pools, deletable=pools.unseen), sizes, seeds, original)


class Twice(Good):
    def requests(self, pools: Any, sizes: Any, seeds: Any, original: Any) -> Any:
        first, *_ = super().requests(pools, sizes, seeds, original)
        return [first] * sizes.requests


class AddsUndeclared(Good):
    def additions_needed(self, sizes: Any) -> Any:
        return 0

    def requests(self, pools: Any, sizes: Any, seeds: Any, original: Any) -> Any:
        return super().requests(replace(pools, addable=pools.unseen), sizes, seeds, original)


class Unseeded(Good):
    def requests(self, pools: Any, sizes: Any, seeds: Any, original: Any) -> Any:
        targets = np.random.default_rng().permutation(pools.deletable)
        return super().requests(replace(pools, deletable=targets), sizes, seeds, original)


class GlobalDraws(Good):
    def requests(self, pools: Any, sizes: Any, seeds: Any, original: Any) -> Any:
        np.random.shuffle([1, 2])  # noqa: NPY002 - that is what is wrong
        return super().requests(pools, sizes, seeds, original)


class InPlace(Good):
    def requests(self, pools: Any, sizes: Any, seeds: Any, original: Any) -> Any:
        pools.deletable.sort()
        return super().requests(pools, sizes, seeds, original)


class NobodyToTellFrom(Good):
    def queries(self, request: Any, pools: Any, sizes: Any, seeds: Any, original: Any, fitted: Any) -> Any:
        queries = super().queries(request, pools, sizes, seeds, original, fitted)
        kept = queries.role != Role.UNSEEN
        return type(queries)(queries.ids[kept], queries.role[kept], queries.position[kept])


class CallsTheDeletedUnseen(Good):
    def queries(self, request: Any, pools: Any, sizes: Any, seeds: Any, original: Any, fitted: Any) -> Any:
        queries = super().queries(request, pools, sizes, seeds, original, fitted)
        return replace(queries, ids=queries.ids[::-1])


class ThreeClassesOnly(Good):
    def queries(self, request: Any, pools: Any, sizes: Any, seeds: Any, original: Any, fitted: Any) -> Any:
        if original.data.n_classes != 3:
            raise ValueError("three classes, please")
        return super().queries(request, pools, sizes, seeds, original, fitted)


BROKEN = [
    (OneTooFew, "returns-the-requested-number"),
    (NeedsMore, "deletes-training-records-once"),
    (Twice, "deletes-training-records-once"),
    (AddsUndeclared, "adds-addable-records-once"),
    (Unseeded, "same-seeds-same-requests"),
    (GlobalDraws, "leaves-global-generators-alone"),
    (InPlace, "inputs-stay-as-they-were"),
    (NobodyToTellFrom, "both-roles-are-queried"),
    (CallsTheDeletedUnseen, "roles-are-correct"),
    (ThreeClassesOnly, "edge-cases"),
]


def test_a_good_scenario_passes(found: Any) -> None:
    assert found("scenario", Good) == set()


@pytest.mark.parametrize(("cls", "check"), BROKEN)
def test_what_is_broken_is_found(cls, check: Any, found: Any) -> None:
    assert check in found("scenario", cls)


def test_every_check_fails_for_one_of_these() -> None:
    assert {check for _, check in BROKEN} == {check.name for check in checks_of("scenario")}
