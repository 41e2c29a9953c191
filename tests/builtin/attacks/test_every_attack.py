"""What holds for all attacks alike."""

from __future__ import annotations

import typing
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from unlearnbench.builtin.attacks.blind import Blind
from unlearnbench.builtin.attacks.classical import Classical
from unlearnbench.builtin.attacks.delta import Delta
from unlearnbench.builtin.attacks.direct_concat import DirectConcat
from unlearnbench.builtin.attacks.direct_diff import DirectDiff
from unlearnbench.builtin.attacks.ensemble import Ensemble
from unlearnbench.builtin.attacks.euclidean import Euclidean
from unlearnbench.builtin.attacks.forgetting import Forgetting
from unlearnbench.builtin.attacks.random import Random
from unlearnbench.builtin.attacks.score_diff import ScoreDiff
from unlearnbench.builtin.attacks.score_ratio import ScoreRatio
from unlearnbench.builtin.attacks.sorted_concat import SortedConcat
from unlearnbench.builtin.attacks.sorted_diff import SortedDiff

BY_CONTENT = [
    DirectConcat(),
    SortedConcat(),
    SortedConcat(sort_by="unlearned"),
    DirectDiff(),
    SortedDiff(),
    SortedDiff(sort_by="independent"),
    SortedDiff(model="logistic-regression"),
    SortedDiff(model="mlp"),
    SortedDiff(model="lightgbm"),
    Euclidean(),
    Ensemble(),
    Classical(),
    ScoreDiff(),
    Delta(),
    ScoreRatio(),
    Forgetting(),
    Forgetting(signal="confidence"),
    Blind(),
]
"""Attacks whose score of a row follows from what the row holds."""

ALL = [*BY_CONTENT, Random()]


def fitted(attack, rows, seed=0):
    return attack.fit(rows.shadow(attack.needs), np.random.default_rng(seed))


@pytest.fixture(scope="module")
def target(make_game):
    return make_game(2, n=60)


@pytest.fixture(scope="module")
def trained(make_game):
    """Every attack, fitted once."""
    shadow = make_game(1, n=200)
    return {attack: fitted(attack, shadow) for attack in ALL}


@pytest.mark.parametrize("attack", ALL, ids=repr)
def test_every_row_gets_a_finite_score(attack, trained, target):
    scores = trained[attack].score(target.view(attack.needs))
    assert scores.shape == (60,)
    assert scores.dtype == np.float64
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("attack", [a for a in ALL if a.probabilistic], ids=repr)
def test_scores_that_are_called_probabilities_lie_between_zero_and_one(attack, trained, target):
    scores = trained[attack].score(target.view(attack.needs))
    assert ((scores >= 0) & (scores <= 1)).all()


@pytest.mark.parametrize("attack", BY_CONTENT, ids=repr)
@settings(max_examples=10, deadline=None)
@given(order=st.permutations(range(60)))
def test_scores_follow_their_rows_into_any_order(attack, trained, target, order):
    scores = trained[attack].score(target.view(attack.needs))
    moved = trained[attack].score(target.take(np.array(order)).view(attack.needs))
    assert moved == pytest.approx(scores[order], abs=1e-12)


@pytest.mark.parametrize("attack", BY_CONTENT, ids=repr)
def test_a_row_scores_the_same_alone_and_in_a_batch(attack, trained, target):
    scores = trained[attack].score(target.view(attack.needs))
    alone = [trained[attack].score(target.take([i]).view(attack.needs))[0] for i in range(len(target))]
    assert alone == pytest.approx(scores, abs=1e-12)


@pytest.mark.parametrize("attack", ALL, ids=repr)
def test_the_same_seed_gives_the_same_scores(attack, trained, target, make_game):
    again = fitted(attack, make_game(1, n=200)).score(target.view(attack.needs))
    assert np.array_equal(again, trained[attack].score(target.view(attack.needs)))


@pytest.mark.parametrize("attack", ALL, ids=repr)
def test_what_is_not_declared_changes_nothing(attack, trained, target):
    """Fill all that the attack may not see with other values: its scores must stay the same, to the bit."""
    needs, reverse = attack.needs, slice(None, None, -1)
    hidden = {
        "before": needs.versions not in ("both", "original"),
        "after": needs.versions not in ("both", "unlearned"),
        "label": not needs.label,
        "features": not needs.features,
        "deleted": True,
    }
    garbled = replace(target, **{name: getattr(target, name)[reverse] for name, hide in hidden.items() if hide})
    scores = trained[attack].score(target.view(needs))
    assert np.array_equal(trained[attack].score(garbled.view(needs)), scores)


@pytest.mark.parametrize("attack", ALL, ids=repr)
def test_inputs_stay_as_they_were(attack, target, make_game):
    shadow = make_game(3, n=40)
    copies = [
        replace(rows, **{f.name: getattr(rows, f.name).copy() for f in fields(rows)}) for rows in (shadow, target)
    ]
    views = shadow.shadow(attack.needs), target.view(attack.needs)
    attack.fit(views[0], np.random.default_rng(0)).score(views[1])
    for rows, copy, view in zip((shadow, target), copies, views, strict=True):
        expected = (copy.shadow if rows is shadow else copy.view)(attack.needs)
        for name in ("_before", "_after", "_versions", "_label", "_features", "episode", "request"):
            assert np.array_equal(getattr(view, name), getattr(expected, name))


@pytest.mark.parametrize("attack", ALL, ids=repr)
@pytest.mark.parametrize("value", [True, False])
def test_shadow_rows_of_one_kind_only_do_not_break_it(attack, value, target, make_game):
    shadow = replace(make_game(1, n=20), deleted=np.full(20, value))
    assert np.isfinite(fitted(attack, shadow).score(target.view(attack.needs))).all()


@pytest.mark.parametrize("attack", ALL, ids=repr)
def test_posteriors_of_exactly_zero_and_one_are_safe(attack, make_rows):
    one_hot = np.eye(3)[np.arange(40) % 3]
    rows = make_rows(one_hot, one_hot[::-1], label=np.arange(40) % 2)
    assert np.isfinite(fitted(attack, rows).score(rows.view(attack.needs))).all()


@pytest.mark.parametrize("attack", [DirectDiff(), SortedDiff(), Euclidean(), ScoreDiff(), ScoreRatio()], ids=repr)
def test_if_nothing_changed_all_rows_score_the_same(attack, make_game):
    rows = make_game(1, n=40)
    still = replace(rows, after=rows.before[:, None])
    assert len(np.unique(fitted(attack, still).score(still.view(attack.needs)))) == 1


@pytest.mark.parametrize("attack", ALL, ids=repr)
def test_no_rows_give_no_scores(attack, trained, target):
    assert trained[attack].score(target.take(slice(0, 0)).view(attack.needs)).shape == (0,)


@pytest.mark.parametrize("attack", list(dict.fromkeys(type(a) for a in ALL)), ids=lambda a: a.__name__)
def test_parameters_can_be_checked_against_their_types(attack):
    assert typing.get_type_hints(attack)
    assert TypeAdapter(attack).validate_python({}) == attack()


@pytest.mark.parametrize(
    ("attack", "wrong"),
    [
        (DirectConcat, {"model": "svm"}),
        (SortedDiff, {"sort_by": "label"}),
        (ScoreRatio, {"c": 0}),
        (Forgetting, {"signal": "margin"}),
        (Classical, {"model": 3}),
    ],
)
def test_a_wrong_parameter_is_refused(attack, wrong):
    with pytest.raises(ValidationError):
        TypeAdapter(attack).validate_python(wrong)
