from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from unlearnbench.builtin.models.random_forest import RandomForest
from unlearnbench.core.errors import UserError
from unlearnbench.core.models import FitTask, Seeds
from unlearnbench.core.records import Order, Provenance, Records, Step, TrainingSet
from unlearnbench.engine.trees.draws import bag_weights

if TYPE_CHECKING:
    from tests.builtin.models.conftest import Blobs


def plant(data: TrainingSet, seeds: Seeds, **params: Any) -> Any:
    return RandomForest(**{"n_estimators": 30, "min_samples_leaf": 3, **params}).fit(FitTask(data, seeds), "cpu")


def bits(tree: Any) -> bytes:
    parts = (tree.tree_.feature, tree.tree_.threshold, tree.tree_.value, tree.tree_.children_left)
    return b"".join(np.ascontiguousarray(part).tobytes() for part in parts)


@pytest.mark.parametrize("order", ["slot", "compact"])
def test_a_deletion_leaves_the_trees_that_lacked_the_record_bitwise_as_they_were(
    order: Order, blobs: Blobs, seeds: Seeds
) -> None:
    data = TrainingSet.of(blobs(), np.arange(150))
    before = plant(data, seeds)
    after = plant(data.after(Step(np.array([17])), order), seeds)
    held = np.array([bag_weights(seeds.init, tree, np.array([17]))[0] > 0 for tree in range(30)])
    same = np.array([bits(old) == bits(new) for old, new in zip(before.trees, after.trees, strict=True)])
    assert 5 < held.sum() < 28
    assert same[~held].all()
    assert not same[held].all()


def test_deleting_a_record_that_no_bag_held_changes_no_bit(blobs: Blobs, seeds: Seeds) -> None:
    records = blobs()
    data = TrainingSet.of(records, np.arange(150))
    unused = next(i for i in range(150) if not any(bag_weights(seeds.init, t, np.array([i]))[0] for t in range(3)))
    before = plant(data, seeds, n_estimators=3).log_posteriors(records.x)
    after = plant(data.after(Step(np.array([unused]))), seeds, n_estimators=3).log_posteriors(records.x)
    assert np.array_equal(before, after)


def test_a_tree_is_scikit_learns_tree_on_its_bag(blobs: Blobs, seeds: Seeds) -> None:
    from sklearn.tree import DecisionTreeClassifier

    records = blobs()
    forest = plant(TrainingSet.of(records, np.arange(150)), seeds, n_estimators=1)
    counts = bag_weights(seeds.init, 0, np.arange(150))
    expected = DecisionTreeClassifier(
        max_features="sqrt", min_samples_leaf=3, random_state=forest.trees[0].random_state
    ).fit(records.x[counts > 0], records.y[counts > 0], sample_weight=counts[counts > 0])
    np.testing.assert_allclose(np.exp(forest.log_posteriors(records.x)), expected.predict_proba(records.x), atol=1e-12)


def test_redrawn_is_scikit_learns_forest_bitwise(blobs: Blobs, seeds: Seeds) -> None:
    from sklearn.ensemble import RandomForestClassifier

    records = blobs()
    ours = plant(TrainingSet.of(records, np.arange(150)), seeds, draws="redrawn").estimator
    theirs = RandomForestClassifier(n_estimators=30, min_samples_leaf=3, random_state=seeds.init)
    theirs.fit(records.x, records.y)
    assert np.array_equal(ours.predict_proba(records.x), theirs.predict_proba(records.x))


def test_keyed_draws_honour_every_order_and_redrawn_ones_fresh_alone() -> None:
    assert RandomForest().orders == {"slot", "compact", "fresh"}
    assert RandomForest(draws="redrawn").orders == {"fresh"}


def test_redrawn_refuses_masked_places(blobs: Blobs, seeds: Seeds) -> None:
    data = TrainingSet.of(blobs(), np.arange(150)).after(Step(np.array([1])), "slot")
    with pytest.raises(UserError, match="use order: fresh or draws: keyed"):
        plant(data, seeds, draws="redrawn")


def test_one_deletion_moves_a_keyed_forest_much_less_than_a_redrawn_one(blobs: Blobs, seeds: Seeds) -> None:
    records = blobs(n=300)
    data = TrainingSet.of(records, np.arange(300))

    def shift(draws: str) -> float:
        after = data.after(Step(np.array([17])), "fresh")
        answers = [np.exp(plant(each, seeds, draws=draws).log_posteriors(records.x)) for each in (data, after)]
        return float(np.abs(answers[0] - answers[1]).mean())

    assert shift("keyed") < 0.5 * shift("redrawn")


def test_empty_bags_answer_the_same_for_every_class(seeds: Seeds) -> None:
    records = Records("one", np.zeros((1, 2)), np.array([1]), 4, Provenance("", ""))
    forest = plant(TrainingSet.of(records, [0]), seeds, n_estimators=200)
    empty = np.mean([tree is None for tree in forest.trees])
    assert 0.2 < empty < 0.55  # exp(-1) is .37
    expected = [empty / 4, 1 - empty * 3 / 4, empty / 4, empty / 4]
    np.testing.assert_allclose(np.exp(forest.log_posteriors(records.x))[0], expected, atol=1e-12)


@pytest.mark.parametrize("name", ["load_digits", "load_breast_cancer"])
def test_keyed_forests_are_as_accurate_as_scikit_learns(name: str) -> None:
    from sklearn import datasets

    x, y = getattr(datasets, name)(return_X_y=True)
    records = Records(name, x.astype(np.float64), y.astype(np.int64), int(y.max()) + 1, Provenance("", ""))
    gaps = []
    for seed in range(6):
        ids = np.random.default_rng(seed).permutation(len(y))
        train, test = TrainingSet.of(records, ids[:350]), ids[350:]
        answers = [
            plant(train, Seeds(seed, 0, 0), draws=draws).log_posteriors(records.x[test])
            for draws in ("keyed", "redrawn")
        ]
        keyed, redrawn = ((answer.argmax(axis=1) == records.y[test]).mean() for answer in answers)
        gaps.append(keyed - redrawn)
    assert abs(np.mean(gaps)) < 0.015
