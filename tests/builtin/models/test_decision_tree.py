from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from unlearnbench.builtin.models.decision_tree import DecisionTree, FittedTree
from unlearnbench.core.models import FitTask, Seeds
from unlearnbench.core.posteriors import log_of
from unlearnbench.core.records import Provenance, Records, Step, TrainingSet

if TYPE_CHECKING:
    from tests.builtin.models.conftest import Blobs


def grow(data: TrainingSet, seeds: Seeds, **params: Any) -> FittedTree:
    return DecisionTree(**params).fit(FitTask(data, seeds), "cpu")


def test_a_region_is_a_leaf_and_its_posteriors_are_the_class_shares_in_it(blobs: Blobs, seeds: Seeds) -> None:
    records = blobs()
    fitted = grow(TrainingSet.of(records, np.arange(150)), seeds)
    region = fitted.region(records.x)
    assert region.dtype == np.int64
    assert len(np.unique(region)) == 10
    for leaf in np.unique(region):
        shares = np.bincount(records.y[region == leaf], minlength=3) / (region == leaf).sum()
        answer = fitted.log_posteriors(records.x[region == leaf])
        np.testing.assert_allclose(answer, np.tile(log_of(shares), (len(answer), 1)), atol=1e-12)


def test_the_one_split_of_four_records_is_found_by_hand(seeds: Seeds) -> None:
    records = Records("line", np.array([[0.0], [1.0], [4.0], [5.0]]), np.array([0, 0, 1, 1]), 2, Provenance("", ""))
    fitted = grow(TrainingSet.of(records, np.arange(4)), seeds, max_leaf_nodes=2)
    assert np.exp(fitted.log_posteriors(np.array([[2.4], [2.6]]))).argmax(axis=1).tolist() == [0, 1]
    after = grow(TrainingSet.of(records, np.arange(4)).after(Step(np.array([1]))), seeds, max_leaf_nodes=2)
    assert np.exp(after.log_posteriors(np.array([[1.9], [2.1]]))).argmax(axis=1).tolist() == [0, 1]


def test_without_a_limit_every_training_record_is_fitted(blobs: Blobs, seeds: Seeds) -> None:
    records = blobs()
    fitted = grow(TrainingSet.of(records, np.arange(150)), seeds, max_leaf_nodes=None)
    assert (fitted.log_posteriors(records.x).argmax(axis=1) == records.y).all()


@pytest.mark.parametrize(("limit", "leaves"), [({"max_depth": 2}, 4), ({"min_samples_leaf": 75}, 2)])
def test_depth_and_leaf_size_limit_the_leaves(limit: dict[str, int], leaves: int, blobs: Blobs, seeds: Seeds) -> None:
    records = blobs()
    fitted = grow(TrainingSet.of(records, np.arange(150)), seeds, max_leaf_nodes=None, **limit)
    regions, counts = np.unique(fitted.region(records.x), return_counts=True)
    assert len(regions) <= leaves
    assert counts.min() >= limit.get("min_samples_leaf", 1)


def test_one_class_gives_one_region(blobs: Blobs, seeds: Seeds) -> None:
    records = blobs()
    fitted = grow(TrainingSet.of(records, np.flatnonzero(records.y == 1)), seeds)
    assert len(np.unique(fitted.region(records.x))) == 1


def test_the_init_seed_decides_between_equal_splits_only(blobs: Blobs, seeds: Seeds) -> None:
    records = blobs()
    data = TrainingSet.of(records, np.arange(150))
    answers = [grow(data, replace(seeds, init=init)).log_posteriors(records.x) for init in range(5)]
    assert all(np.array_equal(answers[0], answer) for answer in answers)  # no ties in continuous features
