"""The three-class attack: its four scores, on worked examples, without a trace and with one."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from sklearn.tree import DecisionTreeClassifier

from unlearnbench.builtin.attacks.attack_models import AttackModel
from unlearnbench.builtin.attacks.tri_class import Score, TriClass
from unlearnbench.core.observations import Needs, ShadowView, UndeclaredNeedError, View
from unlearnbench.testing.samples import game_of

FORGOTTEN, RETAINED, UNSEEN = range(3)
Numbers = NDArray[np.float64]
Roles = NDArray[np.int64]


def views(before: Numbers, after: Numbers, role: Roles) -> ShadowView:
    """Return rows whose true class, the first of two, has these posteriors (n,) before and after."""
    first, last = (np.stack([p, 1 - p], axis=1) for p in (before, after))
    made = game_of(first, last, np.zeros(len(role), dtype=np.int64), (role == FORGOTTEN).tolist())
    member = np.stack([role != UNSEEN, role == RETAINED], axis=1)
    shown = replace(made, key=np.arange(len(role), dtype=np.uint64)).shadow(TriClass.needs)
    return replace(shown, member=member)


def draws(seed: int, leak: float, n: int = 600) -> tuple[ShadowView, Roles]:
    """Return rows of three roles: a model knows its members better by about ``leak`` nats of log-odds."""
    rng = np.random.default_rng(seed)
    role = rng.permutation(n) % 3
    before, after = (
        1 / (1 + np.exp(-rng.normal(size=n) - leak * knows)) for knows in (role != UNSEEN, role == RETAINED)
    )
    return views(before, after, role), role


def scores(attack: TriClass, shadow: ShadowView, target: View) -> Numbers:
    return attack.fit(shadow, np.random.default_rng(0)).score(target)


ROLE = np.repeat([FORGOTTEN, RETAINED, UNSEEN], 20)
BEFORE = np.repeat([0.9, 0.9, 0.4], 20)
AFTER = np.repeat([0.4, 0.9, 0.4], 20)


@pytest.mark.parametrize(
    ("score", "expected"),
    [("forgotten", [1, 0, 0]), ("retained", [0, 1, 0]), ("trained", [1, 1, 0]), ("verdict", [1, 0.5, 0])],
)
def test_roles_that_are_plain_to_see(score: Score, expected: list[float]) -> None:
    shadow = views(BEFORE, AFTER, ROLE)
    assert scores(TriClass(score), shadow, shadow)[[0, 20, 40]].tolist() == expected


def test_scores_are_the_probabilities_of_a_classifier_of_both_posteriors() -> None:
    (shadow, role), (target, _) = draws(0, 2.0), draws(1, 2.0)
    x, rows = (
        np.exp(np.stack([view.before[:, 0], view.after[:, 0]], axis=1)) for view in (shadow, target)
    )  # the label of all rows is the first class
    seed = int(np.random.default_rng(0).integers(2**31))
    tree = DecisionTreeClassifier(max_leaf_nodes=10, random_state=seed).fit(x, role)
    p = tree.predict_proba(rows)
    found = {score: scores(TriClass(score), shadow, target) for score in get_args(Score)}
    np.testing.assert_allclose(found["forgotten"], p[:, FORGOTTEN], atol=1e-6)
    np.testing.assert_allclose(found["retained"], p[:, RETAINED], atol=1e-6)
    np.testing.assert_allclose(found["trained"], 1 - p[:, UNSEEN], atol=1e-6)
    assert found["verdict"].tolist() == [[1.0, 0.5, 0.0][k] for k in tree.predict(rows)]


def one_vs_rest(model: AttackModel, seed: int, leak: float) -> list[float]:
    (shadow, _), (target, role) = draws(2 * seed, leak), draws(2 * seed + 1, leak)
    chosen: dict[int, Score] = {FORGOTTEN: "forgotten", RETAINED: "retained", UNSEEN: "trained"}
    signs = {FORGOTTEN: 1, RETAINED: 1, UNSEEN: -1}
    return [
        roc_auc_score(role == k, signs[k] * scores(TriClass(score, model), shadow, target))
        for k, score in chosen.items()
    ]


@pytest.mark.parametrize("model", ["decision-tree", "logistic-regression"])
def test_without_a_trace_every_role_is_at_chance(model: AttackModel) -> None:
    found = np.array([one_vs_rest(model, seed, 0.0) for seed in range(30)])
    np.testing.assert_allclose(found.mean(axis=0), 0.5, atol=0.015)  # standard error .005


@pytest.mark.parametrize("model", ["decision-tree", "logistic-regression"])
def test_with_a_trace_every_role_is_found(model: AttackModel) -> None:
    found = np.array([one_vs_rest(model, seed, 2.0) for seed in range(5)])
    assert (found.mean(axis=0) > 0.75).all()


def test_where_nothing_is_deleted_forgotten_records_look_retained() -> None:
    """The shadow models forget as retraining does; the target keeps what it has."""
    shadow, _ = draws(0, 3.0)
    target, role = draws(1, 3.0)
    kept = replace(
        target, _after=np.where((role == FORGOTTEN)[:, None, None], target.before[:, None], target.after_each)
    )
    verdict = scores(TriClass("verdict"), shadow, kept)
    assert np.mean(verdict[role == FORGOTTEN] == 0.5) > 0.6
    assert np.mean(verdict[role == FORGOTTEN] == 1.0) < 0.1
    told = np.isin(role, (FORGOTTEN, UNSEEN))
    assert roc_auc_score(role[told] == FORGOTTEN, scores(TriClass("retained"), shadow, kept)[told]) > 0.85


def test_who_is_retained_must_be_declared() -> None:
    shadow = game_of(np.full((4, 2), 0.5), np.full((4, 2), 0.5), np.zeros(4, dtype=np.int64), [True] * 4).shadow(
        Needs()
    )
    with pytest.raises(UndeclaredNeedError, match="reads which records are retained"):
        _ = shadow.retained
