"""Who is deleted: one record a request, or a group; never the same one twice."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlearnbench.builtin.scenarios.group import Group
from unlearnbench.builtin.scenarios.single import Single
from unlearnbench.core.pools import EpisodeSizes, Pools
from unlearnbench.core.requests import Role
from unlearnbench.core.seeding import SeedPath

SEEDS = SeedPath(0) / "requests"


def pools(n):
    ids = np.random.default_rng(0).permutation(n)
    return Pools(training=np.sort(ids), targets=ids, unseen=np.arange(n, n + 10))


@given(st.integers(1, 20), st.sampled_from([Single(), *(Group(size) for size in (1, 2, 7))]))
def test_requests_are_as_many_as_asked_of_one_step_each_and_never_meet(n, scenario):
    sizes = EpisodeSizes(requests=n)
    needed = scenario.targets_needed(sizes)
    requests = scenario.requests(pools(needed), sizes, SEEDS)
    deleted = np.concatenate([request.forgotten for request in requests])
    assert len(requests) == n
    assert {len(request.steps) for request in requests} == {1}
    assert {len(request.forgotten) for request in requests} == {needed // n}
    assert sorted(deleted) == list(range(needed))
    assert all(not len(request.added) for request in requests)


@pytest.mark.parametrize("scenario", [Single(), Group(3)])
def test_more_requests_begin_with_the_fewer(scenario):
    fewer, more = (scenario.requests(pools(60), EpisodeSizes(requests=n), SEEDS) for n in (4, 20))
    for a, b in zip(fewer, more, strict=False):
        assert a.forgotten.tolist() == b.forgotten.tolist()


def test_a_group_of_one_is_a_single_deletion():
    groups, singles = (
        scenario.requests(pools(20), EpisodeSizes(requests=20), SEEDS) for scenario in (Group(1), Single())
    )
    assert [a.forgotten.tolist() for a in groups] == [b.forgotten.tolist() for b in singles]


def test_the_first_of_a_group_is_deleted_alone_too_where_targets_are_the_same():
    (group, *_), (single, *_) = (
        scenario.requests(pools(60), EpisodeSizes(requests=3), SEEDS) for scenario in (Group(5), Single())
    )
    assert group.forgotten[0] == single.forgotten[0]


@pytest.mark.parametrize("scenario", [Single(), Group()])
def test_the_forgotten_are_told_from_random_unseen_records(scenario):
    assert (scenario.positive, scenario.negative) == (Role.FORGOTTEN, Role.RANDOM)
