from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from unlearnbench.builtin.attacks import features
from unlearnbench.builtin.attacks.attack_models import AttackModel
from unlearnbench.builtin.attacks.classical import Classical
from unlearnbench.builtin.attacks.direct_concat import DirectConcat
from unlearnbench.builtin.attacks.direct_diff import DirectDiff
from unlearnbench.builtin.attacks.euclidean import Euclidean
from unlearnbench.builtin.attacks.feature_attack import FeatureAttack
from unlearnbench.builtin.attacks.sorted_concat import SortedConcat
from unlearnbench.builtin.attacks.sorted_diff import SortedDiff
from unlearnbench.core.attacks import Attack, Baseline
from unlearnbench.core.observations import Needs, UndeclaredNeedError, View
from unlearnbench.testing.samples import SampleRows

BEFORE_AND_AFTER = [DirectConcat, SortedConcat, DirectDiff, SortedDiff, Euclidean]


def auc(attack: Attack, shadow: SampleRows, target: SampleRows) -> float:
    scores = attack.fit(shadow.shadow(attack.needs), np.random.default_rng(0)).score(target.view(attack.needs))
    return float(roc_auc_score(target.deleted, scores))


@pytest.mark.parametrize(
    ("attack", "expected"),
    [
        (DirectConcat(), lambda b, a: features.direct_concat(b, a)),
        (SortedConcat(), lambda b, a: features.sorted_concat(b, a, "original")),
        (SortedConcat(sort_by="unlearned"), lambda b, a: features.sorted_concat(b, a, "unlearned")),
        (DirectDiff(), lambda b, a: features.direct_diff(b, a)),
        (SortedDiff(), lambda b, a: features.sorted_diff(b, a, "original")),
        (SortedDiff(sort_by="independent"), lambda b, a: features.sorted_diff(b, a, "independent")),
        (Euclidean(), lambda b, a: features.euclidean(b, a)),
        (Classical(), lambda b, a: b),
    ],
)
def test_each_attack_looks_at_probabilities_through_its_feature(
    attack: FeatureAttack,
    expected: Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]],
    make_game: Callable[..., SampleRows],
) -> None:
    rows = make_game(0, n=30)
    seen = attack.feature(rows.view(attack.needs))
    assert seen == pytest.approx(expected(np.exp(rows.before), np.exp(rows.after[:, 0])), abs=1e-12)


@pytest.mark.parametrize("attack", BEFORE_AND_AFTER)
@pytest.mark.parametrize("n_classes", [2, 30])
def test_a_leak_is_found_on_few_and_many_classes(
    attack: type[FeatureAttack], n_classes: int, make_game: Callable[..., SampleRows]
) -> None:
    shadow, target = (make_game(seed, n=600, n_classes=n_classes, leak=3.0) for seed in (1, 2))
    is_concat = attack in (DirectConcat, SortedConcat)  # a small tree cannot subtract, as the paper saw
    assert auc(attack(), shadow, target) > (0.6 if is_concat else 0.85)


@pytest.mark.parametrize("model", ["logistic-regression", "random-forest", "mlp", "lightgbm"])
def test_a_leak_is_found_with_every_attack_model(model: AttackModel, make_game: Callable[..., SampleRows]) -> None:
    shadow, target = make_game(1, leak=3.0), make_game(2, leak=3.0)
    assert auc(Euclidean(model=model), shadow, target) > 0.9


@pytest.mark.parametrize("attack", [*BEFORE_AND_AFTER, Classical])
def test_without_a_leak_the_attack_guesses(attack: type[FeatureAttack], make_game: Callable[..., SampleRows]) -> None:
    shadow, target = make_game(1, leak=0.0), make_game(2, n=4000, leak=0.0)
    assert auc(attack(), shadow, target) == pytest.approx(0.5, abs=0.04)  # standard error .009


def test_the_classical_attack_does_not_see_what_deletion_changed(make_game: Callable[..., SampleRows]) -> None:
    shadow, target = make_game(1, leak=3.0), make_game(2, n=4000, leak=3.0)
    assert auc(Classical(), shadow, target) == pytest.approx(0.5, abs=0.04)


@pytest.mark.parametrize("attack", [*BEFORE_AND_AFTER, Classical])
def test_the_baseline_is_the_classical_attack_with_the_same_model(attack: type[FeatureAttack]) -> None:
    assert attack(model="mlp").baseline == Baseline(params={"model": "mlp"})


def test_the_last_of_several_versions_is_the_one_compared(make_game: Callable[..., SampleRows]) -> None:
    rows = make_game(0, n=10)
    first, last = rows.after[:, 0], rows.before
    versions = replace(rows, after=np.stack([first, last], axis=1), versions=np.full(10, 2))
    assert not Euclidean().feature(versions.view(Needs())).any()
    padded = replace(versions, versions=np.ones(10, dtype=np.int64))
    assert Euclidean().feature(padded.view(Needs())).all()


def test_a_feature_that_reads_more_than_declared_is_stopped(make_game: Callable[..., SampleRows]) -> None:
    @dataclass(frozen=True)
    class Curious(FeatureAttack):
        def feature(self, view: View) -> NDArray[np.float64]:
            return np.column_stack([view.before, view.label])

    with pytest.raises(UndeclaredNeedError, match="label"):
        Curious().fit(make_game(0).shadow(Curious().needs), np.random.default_rng(0))


@pytest.mark.parametrize("attack", BEFORE_AND_AFTER)
def test_seeing_the_original_model_only_is_not_enough(
    attack: type[FeatureAttack], make_game: Callable[..., SampleRows]
) -> None:
    with pytest.raises(UndeclaredNeedError, match="unlearned"):
        attack().feature(make_game(0).view(Needs(versions="original")))
