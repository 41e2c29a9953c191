"""Which records may be trained on, deleted and queried; the two sides never share a record."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlearnbench.builtin.datasets.digits import Digits
from unlearnbench.core.errors import UserError
from unlearnbench.core.pools import EpisodeSizes, Pools, Side, draw, side_halves, side_pools
from unlearnbench.core.records import Provenance, Records
from unlearnbench.core.seeding import SeedPath

SIDES: tuple[Side, ...] = ("target", "shadow")
SEEDS = SeedPath(3) / "toy"


def toy(n: int) -> Records:
    """Return records of which about a third share their features with another one."""
    x = np.random.default_rng(n).integers(0, 2 * n, size=(n, 1)).astype(float)
    return Records("toy", x, np.arange(n) % 2, 2, Provenance("made up", "CC0"))


def same(a: Pools, b: Pools) -> bool:
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in vars(a))


@given(st.integers(1, 400), st.integers(0, 2**40))
def test_the_sides_deal_out_every_record_exactly_once(n: int, seed: int) -> None:
    parts = [part for side in SIDES for part in side_halves(toy(n), side, SeedPath(seed))]
    assert sorted(np.concatenate(parts)) == list(range(n))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("originals", 0),
        ("originals", 10**6),
        ("requests", 0),
        ("requests", True),
        ("records", 1),
        ("negatives", 0),
        ("matched", -1),
        ("retained", 1.5),
    ],
)
def test_a_size_out_of_range_is_refused_by_its_name(name: str, value: object) -> None:
    with pytest.raises(UserError, match=f"^{name}: must be an integer from .*, got {value}$"):
        EpisodeSizes(**{name: value})  # type: ignore[arg-type]  # that is the point


def test_two_fifths_of_all_records_train_a_side_and_a_tenth_is_kept_unseen() -> None:
    sizes = [len(part) for side in SIDES for part in side_halves(toy(1000), side, SEEDS)]
    assert sizes == [400, 100, 400, 100]


@given(st.integers(10, 300), st.integers(2, 150), st.integers(0, 2**40))
def test_pools_keep_what_they_promise(n: int, size: int, seed: int) -> None:
    records, sizes = toy(n), EpisodeSizes(records=size)
    trained: dict[Side, set[int]] = {}
    for side in SIDES:
        dealt = [side_pools(records, side, sizes, original, SeedPath(seed)) for original in range(3)]
        trained[side] = {int(i) for pools, _ in dealt for i in pools.training}
        for pools, test in dealt:
            assert (
                len(pools.training)
                == len(set(pools.training))
                == min(size, len(side_halves(records, side, SeedPath(seed))[0]))
            )
            assert set(pools.deletable) == {i for i in pools.training if not records.has_duplicate[i]}
            assert set(pools.unseen) == {i for i in test if not records.has_duplicate[i]}
            trainable, _ = side_halves(records, side, SeedPath(seed))
            others = set(trainable) - set(pools.training)
            assert sorted(pools.addable) == sorted(i for i in others if not records.has_duplicate[i])
            assert not trained[side] & set(test)
    assert not trained["target"] & trained["shadow"]


def test_no_record_of_one_side_is_anywhere_on_the_other() -> None:
    records = Digits().load()
    pools = {
        side: [side_pools(records, side, EpisodeSizes(records=300), original, SEEDS) for original in range(4)]
        for side in SIDES
    }
    held = {
        side: {
            int(i)
            for pool, test in pools[side]
            for i in (*pool.training, *pool.deletable, *pool.unseen, *pool.addable, *test)
        }
        for side in SIDES
    }
    assert not held["target"] & held["shadow"]


@pytest.mark.parametrize("side", SIDES)
def test_an_original_keeps_its_pools_when_a_suite_grows(side: Side) -> None:
    small = EpisodeSizes(originals=2, requests=3, records=50, negatives=4, matched=1, retained=2)
    large = replace(small, originals=40, requests=30, negatives=20, matched=6, retained=9)
    for original in range(2):
        before, after = (side_pools(toy(300), side, sizes, original, SEEDS)[0] for sizes in (small, large))
        assert same(before, after)


def test_pools_differ_between_originals_sides_seeds_and_data_sets() -> None:
    sizes, records = EpisodeSizes(records=50), toy(300)
    drawn = [
        side_pools(records, side, sizes, original, SeedPath(seed) / name)[0].training
        for side in SIDES
        for original in (0, 1)
        for seed in (0, 1)
        for name in ("toy", "other")
    ]
    assert len({ids.tobytes() for ids in drawn}) == 16


def test_the_sides_do_not_draw_the_same_places_of_their_halves() -> None:
    places = []
    for side in SIDES:
        trainable, _ = side_halves(toy(300), side, SEEDS)
        training = side_pools(toy(300), side, EpisodeSizes(records=50), 0, SEEDS)[0].training
        places.append([trainable.tolist().index(i) for i in training])
    assert places[0] != places[1]


def test_targets_are_not_in_training_order() -> None:
    records = Records("toy", np.arange(400.0)[:, None], np.zeros(400, dtype=np.int64), 1, Provenance("", ""))
    pools, _ = side_pools(records, "target", EpisodeSizes(records=100), 0, SEEDS)
    assert sorted(pools.deletable) == sorted(pools.training)
    assert np.mean(pools.deletable == pools.training) < 0.1


def test_records_to_add_are_not_in_the_order_of_their_half() -> None:
    records = Records("toy", np.arange(400.0)[:, None], np.zeros(400, dtype=np.int64), 1, Provenance("", ""))
    spares = [
        side_pools(records, "target", EpisodeSizes(records=60), original, SEEDS)[0].addable for original in (0, 1)
    ]
    trainable, _ = side_halves(records, "target", SEEDS)
    left = trainable[np.isin(trainable, spares[0])]
    assert np.mean(left == spares[0]) < 0.1
    assert spares[0].tolist() != spares[1].tolist()


def test_a_draw_takes_no_id_twice_and_at_most_all_of_them() -> None:
    ids = np.array([5, 7, 11, 13])
    assert set(draw(ids, 2, SEEDS)) < set(ids)
    assert sorted(draw(ids, 9, SEEDS)) == [5, 7, 11, 13]
    assert draw(ids, 2, SEEDS).tolist() == draw(ids, 4, SEEDS)[:2].tolist()


def test_test_records_are_no_canaries_and_all_else_may_be() -> None:
    """Each is drawn as any record is, so that its share in a training set is that in the data set."""
    canary = np.random.default_rng(0).random(2000) < 0.2
    plain, marked = toy(2000), replace(toy(2000), canary=canary)
    shares = []
    for seed in range(40):
        (pools, test), (same_pools, others) = (
            side_pools(each, "target", EpisodeSizes(records=200), 0, SeedPath(seed)) for each in (marked, plain)
        )
        assert same(pools, same_pools)
        assert test.tolist() == others[~canary[others]].tolist()
        shares.append(canary[pools.training].mean())
    assert np.mean(shares) == pytest.approx(canary.mean(), abs=4 * np.sqrt(0.2 * 0.8 / 200 / 40))
