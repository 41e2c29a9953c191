"""Requests, and the records that a scenario queries by default."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from unlearnbench.core.models import FitTask, TargetModel
from unlearnbench.core.originals import Original
from unlearnbench.core.pools import EpisodeSizes, Pools, side_pools
from unlearnbench.core.records import Provenance, Records, Step, TrainingSet
from unlearnbench.core.scenarios import Queries, Request, Role, Scenario, forget_sets_sha256
from unlearnbench.core.seeding import SeedPath

SIZES = EpisodeSizes(requests=1, records=100, negatives=8, matched=3, retained=6)
SEEDS = SeedPath(1) / "toy"


class Nowhere(TargetModel):
    """A target model, and the trained one too."""

    def fit(self, task: FitTask, device: str) -> Nowhere:
        return self

    def log_posteriors(self, x: np.ndarray) -> np.ndarray:
        return np.zeros((len(x), 2))


class Fixed(Scenario):
    def requests(self, pools: Pools, sizes: EpisodeSizes, seeds: SeedPath, original: Original) -> list[Request]:
        return [Request((Step(pools.deletable[:1]),))]

    def deletions_needed(self, sizes: EpisodeSizes) -> int:
        return 1


def toy() -> Records:
    x = np.random.default_rng(0).integers(0, 600, size=(400, 1)).astype(float)
    return Records("toy", x, np.arange(400) % 2, 2, Provenance("made up", "CC0"))


def query(request: Request, pools: Pools, sizes: EpisodeSizes = SIZES, seeds: SeedPath = SEEDS) -> Queries:
    original = Original(Nowhere(), TrainingSet.of(toy(), pools.training), seeds)
    return Fixed().queries(request, pools, sizes, seeds, original, original.fitted)


def some_pools() -> Pools:
    return side_pools(toy(), "target", SIZES, 0, SEEDS)[0]


def steps(*pairs: tuple[list[int], list[int]]) -> Request:
    return Request(tuple(Step(np.array(f, dtype=np.int64), np.array(a, dtype=np.int64)) for f, a in pairs))


def test_a_request_knows_all_it_forgets_and_all_it_adds_over_its_steps() -> None:
    request = steps(([3, 1], [8]), ([], [9]), ([8], []))
    assert request.forgotten.tolist() == [3, 1, 8]
    assert request.added.tolist() == [8, 9]


def test_queries_stand_role_by_role_each_counted_from_nought() -> None:
    nobody = np.empty(0, dtype=np.int64)
    laid = Queries.of({Role.FORGOTTEN: np.array([9]), Role.MATCHED: nobody, Role.UNSEEN: np.array([4, 2])})
    assert laid.ids.tolist() == [9, 4, 2]
    assert laid.role.tolist() == [Role.FORGOTTEN, Role.UNSEEN, Role.UNSEEN]
    assert laid.position.tolist() == [0, 0, 1]
    assert [str(each.dtype) for each in (laid.ids, laid.role, laid.position)] == ["int64", "int8", "int64"]


def test_every_role_is_queried_as_often_as_the_sizes_say() -> None:
    pools = some_pools()
    queries = query(Request((Step(pools.deletable[:2]),)), pools)
    assert np.bincount(queries.role, minlength=len(Role)).tolist() == [2, 8, 3, 6, 0]


def test_queried_records_have_their_role_and_no_duplicate_is_among_them() -> None:
    pools, records = some_pools(), toy()
    queries = query(Request((Step(pools.deletable[4:7]),)), pools)
    ids = {role: queries.ids[queries.role == role] for role in Role}
    assert ids[Role.FORGOTTEN].tolist() == pools.deletable[4:7].tolist()
    assert set(ids[Role.UNSEEN]) | set(ids[Role.MATCHED]) <= set(pools.unseen)
    assert set(ids[Role.RETAINED]) <= set(pools.deletable) - set(pools.deletable[4:7])
    assert not records.has_duplicate[queries.ids].any()
    assert all(len(set(found)) == len(found) for found in ids.values())


def test_what_a_request_adds_is_neither_a_negative_nor_retained() -> None:
    pools = some_pools()
    everyone = EpisodeSizes(records=100, negatives=500, matched=500, retained=500)
    joined = pools.unseen[:5]
    queries = query(
        Request((Step(pools.deletable[:1], joined), Step(joined[:1], pools.deletable[:1]))), pools, everyone
    )
    negatives = queries.ids[np.isin(queries.role, [Role.UNSEEN, Role.MATCHED])]
    assert not np.isin(joined, negatives).any()
    assert np.isin(pools.unseen[5:], negatives).all()
    assert pools.deletable[0] not in queries.ids[queries.role == Role.RETAINED]


def test_a_request_that_only_adds_forgets_nobody() -> None:
    queries = query(steps(([], [7])), some_pools())
    assert np.bincount(queries.role, minlength=len(Role)).tolist() == [0, 8, 0, 6, 1]


def test_added_records_are_queried_as_added_unless_they_are_forgotten_too() -> None:
    queries = query(steps(([], [7, 9]), ([9], [])), some_pools())
    assert queries.ids[queries.role == Role.ADDED].tolist() == [7]
    assert queries.ids[queries.role == Role.FORGOTTEN].tolist() == [9]


def test_random_negatives_do_not_depend_on_who_is_forgotten_and_more_of_them_begin_with_the_fewer() -> None:
    pools, more = some_pools(), EpisodeSizes(records=100, negatives=20, matched=3, retained=6)
    one, other, longer = (
        queries.ids[queries.role == Role.UNSEEN]
        for queries in (
            query(Request((Step(pools.deletable[:1]),)), pools),
            query(Request((Step(pools.deletable[1:2]),)), pools),
            query(Request((Step(pools.deletable[:1]),)), pools, more),
        )
    )
    assert one.tolist() == other.tolist() == longer[:8].tolist()


def test_other_seeds_draw_other_negatives_and_other_retained_records() -> None:
    pools = some_pools()
    request = Request((Step(pools.deletable[:1]),))
    one, other = query(request, pools), query(request, pools, seeds=SEEDS / "elsewhere")
    for role in (Role.UNSEEN, Role.RETAINED):
        assert set(one.ids[one.role == role]) != set(other.ids[other.role == role])


def test_the_game_is_forgotten_against_random_unless_a_scenario_says_otherwise() -> None:
    assert (Fixed().positive, Fixed().negative) == (Role.FORGOTTEN, Role.UNSEEN)


def test_the_checksum_of_forget_sets_is_that_of_their_lists() -> None:
    step = Step(np.array([3, 1]), np.array([7]))
    expected = hashlib.sha256(b"[[[[3,1],[7]],[[2],[]]],[[[0],[]]]]").hexdigest()
    requests = [Request((step, Step(np.array([2])))), Request((Step(np.array([0])),))]
    assert forget_sets_sha256(requests) == expected
    assert forget_sets_sha256(requests[::-1]) != expected
    assert forget_sets_sha256([replace(each, stratum=np.arange(9)) for each in requests]) == expected


def test_a_stratum_is_ids_of_records() -> None:
    assert Request((), [3, 1]).of_stratum(np.array([1, 2, 3])).tolist() == [1, 3]  # type: ignore[arg-type]  # of anyone
    assert Request(()).of_stratum(np.array([1, 2, 3])).tolist() == [1, 2, 3]
    for wrong in ([0.5], [[1]], ["a"]):
        with pytest.raises(ValueError, match="stratum: record ids"):
            Request((), wrong)  # type: ignore[arg-type]  # that is what is wrong
