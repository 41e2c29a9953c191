"""Matched negatives share label and neighbourhood with the forgotten record."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlearnbench.builtin.datasets.breast_cancer import BreastCancer
from unlearnbench.builtin.models.decision_tree import DecisionTree
from unlearnbench.core.matching import matched_negatives
from unlearnbench.core.models import FitTask, Seeds
from unlearnbench.core.records import Provenance, Records, TrainingSet
from unlearnbench.core.seeding import SeedPath

SEEDS = SeedPath(5) / "matched"


class Nowhere:
    """A model without regions."""

    def log_posteriors(self, x: np.ndarray) -> np.ndarray:
        return np.zeros((len(x), 2))


class Halves(Nowhere):
    """A model with two regions: negative and positive first features."""

    def region(self, x: np.ndarray) -> np.ndarray:
        return (x[:, 0] > 0).astype(np.int64)


def cloud(n: int = 120, seed: int = 0) -> Records:
    """Return records whose features live on scales that differ a thousandfold, the last one constant."""
    x = np.random.default_rng(seed).normal(size=(n, 4)) * np.array([1, 1000, 0.01, 0]) + 3
    return Records("cloud", x, np.arange(n) % 2, 2, Provenance("made up", "CC0"))


def line(*x: float, y: list[int] | None = None) -> Records:
    return Records("line", np.array(x)[:, None], np.array(y or [0] * len(x)), 2, Provenance("made up", "CC0"))


@pytest.mark.parametrize("leaves", [4, 10, None])
def test_a_tree_matches_records_of_the_same_leaf_and_label(leaves: int | None) -> None:
    records = BreastCancer().load()
    data, unseen = TrainingSet.of(records, np.arange(250)), np.arange(250, 569)
    tree = DecisionTree(max_leaf_nodes=leaves).fit(FitTask(data, Seeds(1, 2, 3)), "cpu")
    leaf = tree.region(records.x)
    for forgotten in range(0, 250, 10):
        chosen = matched_negatives(tree, data, np.array([forgotten]), unseen, 5, SEEDS / forgotten)
        alike = unseen[(leaf[unseen] == leaf[forgotten]) & (records.y[unseen] == records.y[forgotten])]
        assert set(chosen) <= set(alike)
        assert len(set(chosen)) == len(chosen) == min(5, len(alike))


def test_which_records_of_a_region_are_taken_is_random() -> None:
    records = line(*range(1, 60))
    data, unseen = TrainingSet.of(records, [0]), np.arange(1, 59)
    drawn = {tuple(matched_negatives(Halves(), data, np.array([0]), unseen, 5, SEEDS / k)) for k in range(10)}
    assert len(drawn) == 10


@pytest.mark.parametrize("alike", [0, 3, 4, 300, 1500])
def test_however_rare_a_region_is_the_first_of_it_are_taken(alike: int) -> None:
    rng = np.random.default_rng(alike)
    records = line(-1.0, *np.where(rng.permutation(1500) < alike, -1.0, 1.0))
    unseen = np.arange(1, 1501)
    chosen = matched_negatives(Halves(), TrainingSet.of(records, [0]), np.array([0]), unseen, 4, SEEDS)
    shuffled = unseen[(SEEDS / 0).permutation(1500)]
    np.testing.assert_array_equal(chosen, shuffled[records.x[shuffled, 0] < 0][:4])


def test_a_region_without_such_a_record_gives_none() -> None:
    records = line(-1, -2, 1, 2, y=[0, 1, 0, 0])  # the other negative one has the other label
    chosen = matched_negatives(Halves(), TrainingSet.of(records, [0]), np.array([0]), np.array([1, 2, 3]), 3, SEEDS)
    assert chosen.tolist() == []


@given(st.integers(0, 50), st.integers(1, 8), st.integers(0, 59))
def test_without_regions_the_nearest_in_standardized_features_are_taken(seed: int, k: int, forgotten: int) -> None:
    records = cloud(seed=seed)
    data, unseen = TrainingSet.of(records, np.arange(60)), np.arange(60, 120)
    chosen = matched_negatives(Nowhere(), data, np.array([forgotten]), unseen, k, SEEDS)
    z = (records.x - records.x[:60].mean(axis=0)) / [*records.x[:60].std(axis=0)[:3], 1]
    by_hand = sorted(
        (float(np.linalg.norm(z[i] - z[forgotten])), i) for i in unseen if records.y[i] == records.y[forgotten]
    )
    assert chosen.tolist() == [i for _, i in by_hand[:k]]


def test_the_scale_is_that_of_the_originals_training_set_not_of_the_candidates() -> None:
    x = np.array([[0, 0], [10, 1], [-10, -1], [4, 0], [0, 1], [0, 500]], dtype=float)
    records = Records("toy", x, np.zeros(6, dtype=np.int64), 1, Provenance("", ""))
    chosen = matched_negatives(
        Nowhere(), TrainingSet.of(records, [0, 1, 2]), np.array([0]), np.array([3, 4, 5]), 1, SEEDS
    )
    assert chosen.tolist() == [3]  # 4 of 8.2, against 1 of 0.8


def test_records_of_any_shape_can_be_near() -> None:
    x = np.zeros((4, 2, 2))
    x[1:, 1, 0] = [3, 1, 2]
    records = Records("images", x, np.zeros(4, dtype=np.int64), 1, Provenance("", ""))
    chosen = matched_negatives(Nowhere(), TrainingSet.of(records, [0]), np.array([0]), np.arange(1, 4), 3, SEEDS)
    assert chosen.tolist() == [2, 3, 1]


@pytest.mark.parametrize("model", [Nowhere(), Halves()])
def test_a_label_that_no_unseen_record_has_gives_none(model: Nowhere) -> None:
    records = line(-1, -2, -3, y=[0, 1, 1])
    chosen = matched_negatives(model, TrainingSet.of(records, [0]), np.array([0]), np.array([1, 2]), 3, SEEDS)
    assert chosen.tolist() == []


def test_equally_near_records_are_taken_at_random() -> None:
    records = line(0, *[1, -1] * 10)
    data, unseen = TrainingSet.of(records, [0]), np.arange(1, 21)
    drawn = {int(matched_negatives(Nowhere(), data, np.array([0]), unseen, 1, SEEDS / k)[0]) for k in range(30)}
    assert len(drawn) > 5


def test_a_group_shares_its_matches_evenly_and_none_is_taken_twice() -> None:
    records = line(0, 100, 200, *(100 * k + d for d in (1, 2, 3, 4) for k in range(3)))
    data, unseen = TrainingSet.of(records, [0, 1, 2]), np.arange(3, 15)
    chosen = matched_negatives(Nowhere(), data, np.array([0, 1, 2]), unseen, 7, SEEDS)
    assert records.x[chosen, 0].tolist() == [1, 2, 3, 101, 102, 201, 202]


def test_duplicates_in_taste_do_not_share_a_match() -> None:
    records = line(0, 0.1, 1, 2)
    chosen = matched_negatives(Nowhere(), TrainingSet.of(records, [0, 1]), np.array([0, 1]), np.array([2, 3]), 2, SEEDS)
    assert chosen.tolist() == [2, 3]


def test_of_a_group_larger_than_the_requested_number_only_the_first_are_matched() -> None:
    records = line(0, 100, 200, 1, 101, 201)
    data = TrainingSet.of(records, [0, 1, 2])
    chosen = matched_negatives(Nowhere(), data, np.array([2, 0, 1]), np.array([3, 4, 5]), 2, SEEDS)
    assert chosen.tolist() == [5, 3]


@pytest.mark.parametrize(("forgotten", "requested"), [([], 3), ([0], 0)])
def test_nothing_forgotten_or_nothing_requested_gives_no_match(forgotten: list[int], requested: int) -> None:
    records = line(0, 1, 2)
    ids = np.array(forgotten, dtype=np.int64)
    chosen = matched_negatives(Nowhere(), TrainingSet.of(records, [0]), ids, np.array([1, 2]), requested, SEEDS)
    assert chosen.tolist() == []
    assert chosen.dtype == np.int64
