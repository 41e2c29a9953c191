from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray

from unlearnbench.builtin.datasets.adult import Adult
from unlearnbench.builtin.datasets.digits import Digits
from unlearnbench.builtin.models.random_forest import KeyedForest, RandomForest
from unlearnbench.core.datasets import Dataset
from unlearnbench.core.errors import UserError
from unlearnbench.core.models import FitTask, Seeds
from unlearnbench.core.records import Provenance, Records, Step, TrainingSet
from unlearnbench.engine import jit
from unlearnbench.engine.banks import Member
from unlearnbench.engine.trees.draws import bag_weights
from unlearnbench.engine.trees.forests import ForestBank
from unlearnbench.engine.trees.nodes import find_leaves

pytestmark = pytest.mark.skipif(not jit.usable(), reason="numba has no wheel for this platform")

Split = tuple[Any, Any]
"""Feature and threshold of a split, or "leaf" and the bytes of its class shares."""


class Forest(Member):
    """A forest as the fast engine returns it."""

    bank: ForestBank


SEEDS = Seeds(4, 5, 6)


def made_up(n: int = 300, d: int = 9, n_classes: int = 2, kind: str = "continuous", seed: int = 0) -> Records:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, d))
    y = (x @ rng.normal(size=(d, n_classes)) + rng.normal(size=(n, n_classes))).argmax(axis=1)
    if kind == "mixed":
        x = np.where(np.arange(d) % 2, x, np.round(x))
    return Records(kind, x, y, n_classes, Provenance("", ""))


def grow(tasks: list[FitTask], n_trees: int = 20, leaf: int = 3, **params: Any) -> list[Forest]:
    forest = RandomForest(n_estimators=n_trees, min_samples_leaf=leaf, **params)
    return [cast("Forest", fitted) for fitted in forest.fit_many(tasks, "cpu")]


def splits(member: Forest, t: int) -> list[Split]:
    """One tree from its root down, through links: (feature, threshold) of splits, class shares of leaves."""
    ensemble = member.bank.ensemble
    nodes = ensemble.nodes
    found: list[Split] = []

    def visit(node: int) -> None:
        if nodes.feature[node] == -2:
            visit(ensemble.roots[t] + nodes.child[node])
        elif nodes.feature[node] == -1:
            found.append(("leaf", nodes.share[node].tobytes()))
        else:
            found.append((int(nodes.feature[node]), float(nodes.threshold[node])))
            visit(nodes.child[node])
            visit(nodes.child[node] + 1)

    variant = ensemble.variants[t, member.index]
    visit(ensemble.roots[t] if variant < 0 else variant)
    return found


@pytest.mark.parametrize("leaf", [1, 10])
@pytest.mark.parametrize(("kind", "n_classes"), [("continuous", 2), ("mixed", 2), ("mixed", 5)])
def test_a_forest_grown_from_anothers_is_the_forest_grown_from_nothing_bitwise(
    kind: str, n_classes: int, leaf: int
) -> None:
    records = made_up(200, n_classes=n_classes, kind=kind)
    base = TrainingSet.of(records, np.arange(180))
    rng = np.random.default_rng(2)
    tasks = [FitTask(base, SEEDS)]
    for k in range(60):
        removed = rng.choice(180, size=(1, 1, 10)[k % 3], replace=False)
        tasks.append(FitTask(base.after(Step(removed), ("slot", "compact")[k % 2]), SEEDS))
    together = grow(tasks, leaf=leaf)
    compared = 0
    for task, forest in zip(tasks, together, strict=True):
        alone = grow([task], leaf=leaf)[0]
        assert np.array_equal(alone.log_posteriors(records.x), forest.log_posteriors(records.x))
        for t in range(20):
            assert splits(alone, t) == splits(forest, t)
            compared += forest.bank.ensemble.variants[t, forest.index] >= 0
    assert compared > 600


def test_only_trees_whose_bag_held_the_record_are_grown_again() -> None:
    base = TrainingSet.of(made_up(), np.arange(200))
    forest = grow([FitTask(base, SEEDS), FitTask(base.after(Step(np.array([17]))), SEEDS)])[1]
    held = bag_weights(SEEDS.init, np.arange(20)[:, np.newaxis], np.array([17]))[:, 0] > 0
    assert np.array_equal(forest.bank.ensemble.variants[:, 1] >= 0, held)
    assert 5 < held.sum() < 18


def test_below_a_split_that_stays_nothing_is_grown_again() -> None:
    base = TrainingSet.of(made_up(2000, kind="mixed"), np.arange(2000))
    forests = grow(
        [FitTask(base, SEEDS)] + [FitTask(base.after(Step(np.array([i]))), SEEDS) for i in range(20)], leaf=30
    )
    ensemble = forests[0].bank.ensemble
    n_variants = (ensemble.variants >= 0).sum()
    whole = np.mean([2 * sum(split[0] == "leaf" for split in splits(forests[0], t)) - 1 for t in range(20)])
    grown = (len(ensemble.nodes.feature) - 20 * whole) / n_variants
    assert n_variants > 200
    assert grown < whole / 2


def test_with_one_feature_a_forest_is_the_reference_forest() -> None:
    records = made_up(200, d=1)  # no features to draw, so that nothing but the trees themselves is compared
    data = TrainingSet.of(records, np.arange(180)).after(Step(np.array([3, 77])))
    for leaf in (1, 5, 30):
        fast = grow([FitTask(data, SEEDS)], leaf=leaf)[0]
        reference = RandomForest(n_estimators=20, min_samples_leaf=leaf).fit(FitTask(data, SEEDS), "cpu")
        np.testing.assert_allclose(
            np.exp(fast.log_posteriors(records.x)), np.exp(reference.log_posteriors(records.x)), atol=1e-12
        )


def test_a_leaf_holds_distinct_records_whatever_their_weight() -> None:
    records = made_up()
    forest = grow([FitTask(TrainingSet.of(records, np.arange(300)), SEEDS)], n_trees=5, leaf=20)[0]
    bags = bag_weights(SEEDS.init, np.arange(5)[:, np.newaxis], np.arange(300)) > 0
    ends = find_leaves(forest.bank.ensemble.nodes, forest.bank.ensemble.roots, records.x.astype(np.float32))
    sizes = [np.unique(ends[t][bags[t]], return_counts=True)[1] for t in range(5)]
    assert min(each.min() for each in sizes) >= 20
    assert min(each.min() for each in sizes) < 30


def test_features_that_do_not_vary_are_passed_over() -> None:
    records = made_up(d=2)
    padded = replace(records, x=np.hstack([records.x, np.ones((300, 34))]))
    forest = grow([FitTask(TrainingSet.of(padded, np.arange(300)), SEEDS)])[0]
    assert all(split[0] in (0, 1, "leaf") for t in range(20) for split in splits(forest, t))
    assert all(len(splits(forest, t)) > 10 for t in range(20))


def test_depth_is_limited() -> None:
    records = made_up()
    forest = grow([FitTask(TrainingSet.of(records, np.arange(300)), SEEDS)], max_depth=2)[0]
    assert all(len(splits(forest, t)) <= 7 for t in range(20))


def test_deleting_a_record_that_no_bag_held_changes_no_bit() -> None:
    records = made_up()
    base = TrainingSet.of(records, np.arange(300))
    bags = bag_weights(SEEDS.init, np.arange(3)[:, np.newaxis], np.arange(300))
    unused = np.flatnonzero(bags.sum(axis=0) == 0)[:1]
    before, after = grow([FitTask(base, SEEDS), FitTask(base.after(Step(unused)), SEEDS)], n_trees=3)
    assert np.array_equal(before.log_posteriors(records.x), after.log_posteriors(records.x))


def test_the_answers_of_one_do_not_depend_on_which_others_are_queried() -> None:
    records = made_up(n_classes=3)
    base = TrainingSet.of(records, np.arange(200))
    forests = grow([FitTask(base.after(Step(np.array([i]))), SEEDS) for i in range(12)])
    together = forests[0].bank.log_posteriors(records.x, np.arange(12))
    assert together.shape == (12, 300, 3)
    np.testing.assert_allclose(np.exp(together).sum(axis=2), 1, atol=1e-12)
    for i in (0, 5, 11):
        assert np.array_equal(forests[i].log_posteriors(records.x), together[i])


@pytest.mark.parametrize(("kind", "n_classes", "forgotten"), [("continuous", 2, 1), ("mixed", 3, 25), ("mixed", 2, 90)])
def test_a_forest_answers_with_the_mean_of_its_trees_walked_one_by_one(
    kind: str, n_classes: int, forgotten: int
) -> None:
    records = made_up(kind=kind, n_classes=n_classes)
    data = TrainingSet.of(records, np.arange(200))
    shuffled = np.random.default_rng(1).permutation(200)
    removed = shuffled[: 4 * forgotten].reshape(4, forgotten) if forgotten < 50 else np.arange(forgotten)[None]
    members = grow([FitTask(data, SEEDS), *(FitTask(data.after(Step(ids)), SEEDS) for ids in removed)])
    for member in members:
        walked = [walk(member, t, row) for row in records.x.astype(np.float32) for t in range(20)]
        mean = np.array(walked).reshape(len(records), 20, n_classes).mean(axis=1)
        assert np.exp(member.log_posteriors(records.x)) == pytest.approx(mean, abs=1e-9)


def walk(member: Forest, t: int, row: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the class shares that one record gets of one tree."""
    ensemble = member.bank.ensemble
    nodes, variant = ensemble.nodes, ensemble.variants[t, member.index]
    node = ensemble.roots[t] if variant < 0 else variant
    while nodes.feature[node] != -1:
        if nodes.feature[node] == -2:
            node = ensemble.roots[t] + nodes.child[node]
        else:
            node = nodes.child[node] + (row[nodes.feature[node]] > nodes.threshold[node])
    return np.asarray(nodes.share[node])


def test_forests_of_other_seeds_and_other_records_stand_apart() -> None:
    records = made_up()
    base = TrainingSet.of(records, np.arange(200))
    data = [base, base.after(Step(np.array([3]), np.array([250]))), base.select(np.arange(200) % 2 == 0)]
    tasks = [FitTask(each, replace(SEEDS, init=seed)) for each in data for seed in (1, 2)]
    for task, forest in zip(tasks, grow(tasks), strict=True):
        alone = grow([task])[0]
        assert np.array_equal(alone.log_posteriors(records.x), forest.log_posteriors(records.x))
    answers = {forest.log_posteriors(records.x).tobytes() for forest in grow(tasks)}
    assert len(answers) == 6


def test_empty_bags_answer_the_same_for_every_class() -> None:
    records = Records("one", np.zeros((3, 2)), np.array([1, 1, 1]), 4, Provenance("", ""))
    base = TrainingSet.of(records, [0, 1, 2])
    tasks = [FitTask(base, SEEDS), FitTask(base.after(Step(np.array([0, 1]))), SEEDS)]
    for task, forest in zip(tasks, grow(tasks, n_trees=200), strict=True):
        empty = np.mean(bag_weights(SEEDS.init, np.arange(200)[:, np.newaxis], task.data.kept_ids).sum(axis=1) == 0)
        expected = [empty / 4, 1 - empty * 3 / 4, empty / 4, empty / 4]
        np.testing.assert_allclose(np.exp(forest.log_posteriors(records.x))[0], expected, atol=1e-12)


def test_no_record_left_is_an_error_that_says_what_to_do() -> None:
    data = TrainingSet.of(made_up(), [1]).after(Step(np.array([1])))
    with pytest.raises(UserError, match="delete fewer records"):
        grow([FitTask(data, SEEDS)])


def test_without_numba_or_keyed_draws_the_reference_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    task = FitTask(TrainingSet.of(made_up(), np.arange(200)), SEEDS)
    assert hasattr(grow([task], draws="redrawn")[0], "estimator")
    monkeypatch.setattr(jit, "usable", lambda: False)
    assert isinstance(grow([task])[0], KeyedForest)


def area(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> float:
    """The area under the ROC curve by the rank sum."""
    from scipy.stats import rankdata

    n = positive.sum()
    return float((rankdata(scores)[positive].sum() - n * (n + 1) / 2) / (n * (len(positive) - n)))


@pytest.mark.slow
@pytest.mark.parametrize(("dataset", "n", "leaf"), [(Adult, 2000, 30), (Adult, 500, 1), (Digits, 900, 2)])
def test_forests_are_as_good_as_the_reference_over_30_seeds(dataset: Callable[[], Dataset], n: int, leaf: int) -> None:
    records, gaps = dataset().load(), []
    for seed in range(30):
        ids = np.random.default_rng(seed).permutation(len(records))
        data, test = TrainingSet.of(records, ids[:n]), ids[n : n + 3000]
        model, task = RandomForest(n_estimators=100, min_samples_leaf=leaf), FitTask(data, Seeds(seed, 0, 0))
        answers = [model.fit_many([task], "cpu")[0], model.fit(task, "cpu")]
        posteriors = [np.exp(each.log_posteriors(records.x[test])) for each in answers]
        accuracy = [(each.argmax(axis=1) == records.y[test]).mean() for each in posteriors]
        auc = [area(each[:, 1], records.y[test] == 1) for each in posteriors]
        gaps.append((accuracy[0] - accuracy[1], auc[0] - auc[1]))
    mean, error = np.mean(gaps, axis=0), np.std(gaps, axis=0, ddof=1) / np.sqrt(30)
    assert (error < 0.002).all()  # small enough to see something
    assert (np.abs(mean) < 3.5 * error).all(), (mean, error)
