"""Deleted and added records: one per request or several, in one step or more; no record twice."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlearnbench.builtin.models.decision_tree import DecisionTree
from unlearnbench.builtin.scenarios.group import Group
from unlearnbench.builtin.scenarios.online import Online
from unlearnbench.builtin.scenarios.retained import Retained
from unlearnbench.builtin.scenarios.sequence import Sequence
from unlearnbench.builtin.scenarios.single import Single
from unlearnbench.core.originals import Original
from unlearnbench.core.pools import EpisodeSizes, Pools
from unlearnbench.core.records import Provenance, Records, TrainingSet
from unlearnbench.core.scenarios import Role, Scenario
from unlearnbench.core.seeding import SeedPath

SEEDS = SeedPath(0) / "requests"
RECORDS = Records("none", np.empty((0, 1)), np.empty(0, dtype=np.int64), 2, Provenance("made up", "CC0"))
ORIGINAL = Original(DecisionTree(), TrainingSet.of(RECORDS, []), SEEDS)
"""None of these scenarios looks at it."""


def pools(n: int) -> Pools:
    ids = np.random.default_rng(0).permutation(n)
    return Pools(
        training=np.sort(ids), deletable=ids, unseen=np.arange(n, n + 10), addable=np.arange(n + 10, 2 * n + 310)
    )


@given(st.integers(1, 20), st.sampled_from([Single(), Retained(2), *(Group(size) for size in (1, 2, 7))]))
def test_requests_have_the_requested_number_and_one_step_each_and_share_no_record(n: int, scenario: Scenario) -> None:
    sizes = EpisodeSizes(requests=n)
    needed = scenario.deletions_needed(sizes)
    requests = scenario.requests(pools(needed), sizes, SEEDS, ORIGINAL)
    deleted = np.concatenate([request.forgotten for request in requests])
    assert len(requests) == n
    assert {len(request.steps) for request in requests} == {1}
    assert {len(request.forgotten) for request in requests} == {needed // n}
    assert sorted(deleted) == list(range(needed))
    assert all(not len(request.added) for request in requests)


@pytest.mark.parametrize("scenario", [Single(), Group(3), Online(3, 2), Sequence(3), Retained(3)])
def test_more_requests_begin_with_the_fewer(scenario: Scenario) -> None:
    fewer, more = (scenario.requests(pools(60), EpisodeSizes(requests=n), SEEDS, ORIGINAL) for n in (4, 20))
    for a, b in zip(fewer, more, strict=False):
        assert a.forgotten.tolist() == b.forgotten.tolist()
        assert a.added.tolist() == b.added.tolist()


def test_a_group_of_one_is_a_single_deletion() -> None:
    groups, singles = (
        scenario.requests(pools(20), EpisodeSizes(requests=20), SEEDS, ORIGINAL) for scenario in (Group(1), Single())
    )
    assert [a.forgotten.tolist() for a in groups] == [b.forgotten.tolist() for b in singles]


def test_the_first_of_a_group_is_deleted_alone_too_where_targets_are_the_same() -> None:
    (group, *_), (single, *_) = (
        scenario.requests(pools(60), EpisodeSizes(requests=3), SEEDS, ORIGINAL) for scenario in (Group(5), Single())
    )
    assert group.forgotten[0] == single.forgotten[0]


@pytest.mark.parametrize("scenario", [Single(), Group(), Online(), Sequence()])
def test_positives_are_forgotten_and_negatives_unseen_records(scenario: Scenario) -> None:
    assert (scenario.positive, scenario.negative) == (Role.FORGOTTEN, Role.UNSEEN)


def test_positives_may_be_retained_records() -> None:
    assert (Retained().positive, Retained().negative) == (Role.RETAINED, Role.UNSEEN)


@given(st.integers(1, 20), st.integers(1, 5), st.integers(1, 5))
def test_online_requests_delete_and_add_as_many_as_they_say_and_nobody_twice(n: int, delete: int, add: int) -> None:
    scenario, sizes = Online(delete, add), EpisodeSizes(requests=n)
    dealt = pools(scenario.deletions_needed(sizes))
    requests = scenario.requests(dealt, sizes, SEEDS, ORIGINAL)
    assert {(len(r.steps), len(r.forgotten), len(r.added)) for r in requests} == {(1, delete, add)}
    added = np.concatenate([request.added for request in requests])
    assert len(set(added)) == len(added) == scenario.additions_needed(sizes)
    assert np.isin(added, dealt.addable).all()
    assert sorted(np.concatenate([request.forgotten for request in requests])) == list(range(n * delete))


@given(st.integers(1, 10), st.integers(2, 5), st.integers(1, 4))
def test_a_sequence_deletes_as_many_in_every_step_and_nobody_twice(n: int, versions: int, size: int) -> None:
    scenario, sizes = Sequence(versions, size), EpisodeSizes(requests=n)
    requests = scenario.requests(pools(scenario.deletions_needed(sizes)), sizes, SEEDS, ORIGINAL)
    assert [[len(step.forget) for step in request.steps] for request in requests] == [[size] * versions] * n
    assert sorted(np.concatenate([request.forgotten for request in requests])) == list(range(n * versions * size))


@pytest.mark.parametrize("scenario", [Single(), Group(), Sequence(), Retained()])
def test_a_scenario_that_adds_nothing_needs_no_spare_records(scenario: Scenario) -> None:
    assert scenario.additions_needed(EpisodeSizes()) == 0
