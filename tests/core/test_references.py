"""Reference models: which records each is trained on, and the population."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlearnbench.core.pools import side_halves
from unlearnbench.core.records import Provenance, Records
from unlearnbench.core.references import holds, population_sample, reference_pool
from unlearnbench.core.seeding import SeedPath

SEEDS = SeedPath(3) / "toy"
IDS = np.arange(4000)


def toy(n: int, twins: bool = False) -> Records:
    x = np.arange(n)[:, None] // (2 if twins else 1)
    return Records("toy", x.astype(float), np.arange(n) % 2, 2, Provenance("made up", "CC0"))


def trainable(records: Records) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return side_halves(records, "shadow", SEEDS)[0]


@given(st.integers(0, 2**40), st.integers(0, 5000))
def test_of_two_models_one_holds_a_record_and_the_other_does_not(seed: int, pair: int) -> None:
    one, other = (holds(IDS, number, SeedPath(seed)) for number in (2 * pair, 2 * pair + 1))
    assert np.array_equal(one, ~other)


@given(st.integers(0, 2**40), st.lists(st.integers(0, 10**9), min_size=1, max_size=20))
def test_whether_a_model_holds_a_record_follows_from_the_two_alone(seed: int, ids: list[int]) -> None:
    together = holds(np.array(ids), 7, SeedPath(seed))
    assert together.tolist() == [holds(np.array([i]), 7, SeedPath(seed))[0] for i in ids]


def test_the_coins_are_fair_and_independent_of_each_other() -> None:
    members = np.array([holds(IDS, number, SEEDS) for number in range(0, 200, 2)])
    assert members.mean(axis=1) == pytest.approx(0.5, abs=5 * 0.5 / np.sqrt(len(IDS)))
    assert members.mean(axis=0) == pytest.approx(0.5, abs=5 * 0.5 / np.sqrt(100))
    correlation = np.corrcoef(members)[np.triu_indices(100, 1)]
    assert np.abs(correlation).max() < 5 / np.sqrt(len(IDS))


@given(st.integers(0, 200))
def test_a_pool_holds_all_queried_records_and_others_of_the_shadow_side(n: int) -> None:
    records = toy(1000)
    queried = side_halves(records, "target", SEEDS)[0][:n]
    pool = reference_pool(queried, records, 100, SEEDS)
    assert len(np.unique(pool)) == len(pool) == 200
    assert np.isin(queried, pool).all()
    assert np.isin(pool[~np.isin(pool, queried)], trainable(records)).all()


def test_a_pool_of_fewer_queried_records_holds_the_same_others_and_more() -> None:
    records = toy(1000)
    target = side_halves(records, "target", SEEDS)[0]
    many, few = (reference_pool(target[:n], records, 100, SEEDS) for n in (50, 20))
    assert np.isin(np.setdiff1d(many, target), few).all()


@pytest.mark.parametrize(
    ("queried", "size", "told"),
    [
        (201, 100, "201 are queried, and the shadow side may train on 400 more"),
        (10, 300, "reference models of 300 records need 600 that hold all queried ones: 10 are queried"),
    ],
)
def test_a_pool_that_cannot_be_is_refused_with_its_numbers(queried: int, size: int, told: str) -> None:
    records = toy(1000)
    with pytest.raises(ValueError, match=told):
        reference_pool(side_halves(records, "target", SEEDS)[0][:queried], records, size, SEEDS)


def test_the_population_is_unseen_by_both_sides_and_by_reference_models() -> None:
    records = toy(1000)
    population = population_sample(records, 60, SEEDS)
    elsewhere = np.concatenate([*side_halves(records, "target", SEEDS), trainable(records)])
    assert not np.isin(population, elsewhere).any()
    assert len(np.unique(population)) == 60


def test_a_smaller_population_is_the_first_of_a_larger_one() -> None:
    small, large = (population_sample(toy(1000), n, SEEDS) for n in (20, 60))
    assert np.array_equal(small, large[:20])


def test_records_with_a_twin_are_in_no_population() -> None:
    with pytest.raises(ValueError, match="a population of 1 record is wanted, and 0 are there"):
        population_sample(toy(1000, twins=True), 1, SEEDS)
