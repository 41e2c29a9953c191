from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest

from unlearnbench.builtin.models.decision_tree import DecisionTree, FittedTree
from unlearnbench.core.errors import UserError
from unlearnbench.core.models import FitTask, HasRegions, Seeds
from unlearnbench.core.records import Provenance, Records, Step, TrainingSet
from unlearnbench.engine import jit
from unlearnbench.engine.trees.tree_bank import TreeMember

pytestmark = pytest.mark.skipif(not jit.usable(), reason="numba has no wheel for this platform")

Split = tuple[Any, Any]
"""Feature and threshold of a split, or "leaf" and the bytes of its class shares."""

SEEDS = Seeds(4, 5, 6)
LIMITS = [
    {},
    {"max_leaf_nodes": None},
    {"max_leaf_nodes": None, "min_samples_leaf": 9},
    {"max_leaf_nodes": None, "max_depth": 3},
    {"max_leaf_nodes": 6, "min_samples_leaf": 5, "max_depth": 4},
]


def made_up(n: int = 300, d: int = 6, n_classes: int = 2, kind: str = "continuous", seed: int = 0) -> Records:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, d))
    y = (x @ rng.normal(size=(d, n_classes)) + rng.normal(size=(n, n_classes))).argmax(axis=1)
    if kind != "continuous":
        x = np.round(2 * x) if kind == "few" else np.where(np.arange(d) % 2, x, np.round(x))
    return Records(kind, x, y, n_classes, Provenance("", ""))


def fit(tasks: list[FitTask], **params: Any) -> list[TreeMember]:
    return [cast("TreeMember", fitted) for fitted in DecisionTree(**params).fit_many(tasks, "cpu")]


def splits(member: TreeMember) -> list[Split]:
    """A tree from its root down, left before right: (feature, threshold) of splits, class shares of leaves."""
    nodes = member.bank.nodes
    found: list[Split] = []

    def visit(node: int) -> None:
        if nodes.feature[node] < 0:
            found.append(("leaf", nodes.share[node].tobytes()))
            return
        found.append((int(nodes.feature[node]), float(nodes.threshold[node])))
        for child in (nodes.child[node], nodes.child[node] + 1):
            visit(child)

    visit(member.bank.roots[member.index])
    return found


def sklearn_splits(data: TrainingSet, seed: int, params: dict[str, Any]) -> list[Split]:
    fitted = DecisionTree(**params).fit(FitTask(data, replace(SEEDS, init=seed)), "cpu")
    assert isinstance(fitted, FittedTree)
    estimator = fitted.estimator
    tree = estimator.tree_
    found: list[Split] = []

    def visit(node: int) -> None:
        if tree.children_left[node] < 0:
            full = np.zeros(data.n_classes)
            full[estimator.classes_] = tree.value[node][0]
            found.append(("leaf", full.tobytes()))
            return
        found.append((int(tree.feature[node]), float(tree.threshold[node])))
        visit(tree.children_left[node])
        visit(tree.children_right[node])

    visit(0)
    return found


@pytest.mark.parametrize("params", LIMITS)
@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("kind", ["continuous", "mixed"])
def test_where_no_splits_tie_a_tree_is_scikit_learns_bitwise(kind: str, n_classes: int, params: Any) -> None:
    same, untied = 0, 0
    for seed in range(12):
        records = made_up(150, n_classes=n_classes, kind=kind, seed=seed)
        data = TrainingSet.of(records, np.arange(150)).after(Step(np.arange(0, 150, 7)))
        theirs = [sklearn_splits(data, random_state, params) for random_state in range(8)]
        if all(each == theirs[0] for each in theirs):
            untied += 1
            same += splits(fit([FitTask(data, SEEDS)], **params)[0]) == theirs[0]
    assert same == untied
    if params.get("max_leaf_nodes", 10) or params.get("min_samples_leaf"):
        assert untied > 0


@pytest.mark.parametrize("params", [{"max_leaf_nodes": 4}, {"max_leaf_nodes": None, "max_depth": 2}])
def test_where_splits_tie_the_trees_of_all_seeds_are_those_that_scikit_learn_draws(params: Any) -> None:
    records = made_up(24, d=3, kind="few", seed=1)
    records = replace(records, x=np.hstack([records.x, records.x[:, :2]]))  # two features have their like
    data = TrainingSet.of(records, np.arange(24))
    theirs = {tuple(sklearn_splits(data, seed, params)) for seed in range(200)}
    ours = {tuple(splits(tree)) for tree in fit([FitTask(data, Seeds(s, 0, 0)) for s in range(200)], **params)}
    assert len(ours) >= 4
    assert ours == theirs


@pytest.mark.parametrize("params", LIMITS)
@pytest.mark.parametrize(("kind", "n_classes"), [("continuous", 2), ("few", 2), ("mixed", 5)])
def test_a_tree_is_the_same_alone_as_among_others_with_other_seeds(kind: str, n_classes: int, params: Any) -> None:
    records = made_up(120, n_classes=n_classes, kind=kind)
    base = TrainingSet.of(records, np.arange(110))
    rng = np.random.default_rng(1)
    tasks = [FitTask(base, SEEDS)]
    for k in range(200):
        removed = rng.choice(110, size=1 + k % 5 * 3, replace=False)
        data = base.after(Step(removed), ("slot", "compact")[k % 2])
        tasks.append(FitTask(data, replace(SEEDS, init=4 if k % 3 else k)))
    together = fit(tasks, **params)
    for task, tree in zip(tasks, together, strict=True):
        alone = fit([task], **params)[0]
        assert splits(alone) == splits(tree)
        assert np.array_equal(alone.region(records.x), tree.region(records.x))


def test_the_same_seed_resolves_ties_alike_with_and_without_a_record() -> None:
    records = made_up(200, kind="few")
    doubled = replace(records, x=np.hstack([records.x, records.x]))  # every split ties with its copy's
    base = TrainingSet.of(doubled, np.arange(200))
    trees = fit([FitTask(base, SEEDS)] + [FitTask(base.after(Step(np.array([i]))), SEEDS) for i in range(60)])
    whose = [[feature // 6 for feature, _ in splits(tree) if feature != "leaf"] for tree in trees]
    assert 0 < np.mean(whose[0]) < 1  # some ties go to the original, some to the copy
    root = [split[0] for split in whose]
    assert len(set(root)) == 1


def test_the_answers_of_one_do_not_depend_on_which_others_are_queried() -> None:
    records = made_up()
    base = TrainingSet.of(records, np.arange(200))
    trees = fit([FitTask(base.after(Step(np.array([i]))), SEEDS) for i in range(30)])
    bank = trees[0].bank
    together = bank.log_posteriors(records.x, np.arange(30))
    assert together.shape == (30, 300, 2)
    for i in (0, 17, 29):
        assert np.array_equal(trees[i].log_posteriors(records.x), together[i])


def test_added_records_shards_and_doubles_are_learned_from() -> None:
    records = made_up()
    base = TrainingSet.of(records, np.arange(200))
    data = [
        base,
        base.after(Step(np.array([3]), np.array([250, 251]))),
        base.select(np.arange(200) % 3 == 0),
        base.select(np.arange(200) % 3 == 0).after(Step(np.array([6]))),
        TrainingSet.of(records, [0, 1, 1, 2, 3, 4, 4, 4]),
        TrainingSet.of(records, [0, 1, 1, 2, 3, 4, 4, 4]).after(Step(np.array([1]))),
    ]
    for each, tree in zip(data, fit([FitTask(each, SEEDS) for each in data]), strict=True):
        reference = DecisionTree().fit(FitTask(each, SEEDS), "cpu")
        np.testing.assert_allclose(tree.log_posteriors(each.x), reference.log_posteriors(each.x), atol=1e-12)


def test_the_order_of_the_records_does_not_matter() -> None:
    records = made_up(kind="few")
    ids = np.random.default_rng(0).permutation(200)
    one, other = (fit([FitTask(TrainingSet.of(records, each), SEEDS)])[0] for each in (ids, np.sort(ids)))
    assert splits(one) == splits(other)


def test_inputs_stay_as_they_were() -> None:
    records = made_up()
    before = records.x.copy()
    data = TrainingSet.of(records, np.arange(200)).after(Step(np.array([5])))
    mask = data.mask.copy()
    fit([FitTask(data, SEEDS)])[0].log_posteriors(records.x)
    assert np.array_equal(records.x, before)
    assert np.array_equal(data.mask, mask)


def test_one_class_gives_one_leaf_with_a_region() -> None:
    records = made_up()
    tree = fit([FitTask(TrainingSet.of(records, np.flatnonzero(records.y == 1)), SEEDS)])[0]
    assert isinstance(tree, HasRegions)
    assert (tree.region(records.x) == 0).all()
    assert (np.exp(tree.log_posteriors(records.x)[:, 1]) == 1).all()


def test_images_are_rows_of_pixels() -> None:
    flat = made_up()
    images = replace(flat, x=flat.x.reshape(300, 2, 3))
    one, other = (fit([FitTask(TrainingSet.of(each, np.arange(200)), SEEDS)])[0] for each in (flat, images))
    assert np.array_equal(one.log_posteriors(flat.x), other.log_posteriors(images.x))


def test_no_record_left_is_an_error_that_says_what_to_do() -> None:
    data = TrainingSet.of(made_up(), [1]).after(Step(np.array([1])))
    with pytest.raises(UserError, match="delete fewer records"):
        fit([FitTask(data, SEEDS)])


def test_without_numba_scikit_learn_grows_the_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jit, "usable", lambda: False)
    trees = DecisionTree().fit_many([FitTask(TrainingSet.of(made_up(), np.arange(200)), SEEDS)] * 2, "cpu")
    assert [type(tree) for tree in trees] == [FittedTree, FittedTree]
