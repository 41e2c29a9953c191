"""Ensemble: whatever the single features hold, it holds too."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from unlearnbench.builtin.attacks.attack_models import AttackModel
from unlearnbench.builtin.attacks.classical import Classical
from unlearnbench.builtin.attacks.direct_concat import DirectConcat
from unlearnbench.builtin.attacks.direct_diff import DirectDiff
from unlearnbench.builtin.attacks.ensemble import Ensemble
from unlearnbench.builtin.attacks.euclidean import Euclidean
from unlearnbench.builtin.attacks.features import SortBy
from unlearnbench.builtin.attacks.sorted_concat import SortedConcat
from unlearnbench.builtin.attacks.sorted_diff import SortedDiff
from unlearnbench.core.observations import Needs
from unlearnbench.testing.samples import SampleRows

PARTS = [DirectConcat(), SortedConcat(), DirectDiff(), SortedDiff(), Euclidean()]


def test_its_feature_is_all_others_side_by_side(make_game: Callable[..., SampleRows]) -> None:
    view = make_game(0, n=30).view(Needs())
    expected = np.concatenate([part.feature(view) for part in PARTS], axis=1)
    assert np.array_equal(Ensemble().feature(view), expected)
    assert expected.shape == (30, 6 * 4 + 1)


def test_the_classical_feature_is_among_the_first(make_game: Callable[..., SampleRows]) -> None:
    view = make_game(0, n=30).view(Needs())
    assert np.array_equal(Ensemble().feature(view)[:, :4], Classical().feature(view))


@pytest.mark.parametrize("sort_by", ["original", "unlearned", "independent"])
def test_the_order_is_that_of_the_sorted_attacks(make_game: Callable[..., SampleRows], sort_by: SortBy) -> None:
    view = make_game(0, n=30).view(Needs())
    assert np.array_equal(Ensemble(sort_by=sort_by).feature(view)[:, 8:16], SortedConcat(sort_by=sort_by).feature(view))
    assert np.array_equal(Ensemble(sort_by=sort_by).feature(view)[:, 20:24], SortedDiff(sort_by=sort_by).feature(view))


@pytest.mark.parametrize("model", ["decision-tree", "logistic-regression"])
def test_deleted_rows_score_high_and_the_baseline_learns_with_the_same_model(
    make_game: Callable[..., SampleRows], model: AttackModel
) -> None:
    attack = Ensemble(model=model)
    fitted = attack.fit(make_game(1).shadow(attack.needs), np.random.default_rng(0))
    rows = make_game(2)
    assert roc_auc_score(rows.deleted, fitted.score(rows.view(attack.needs))) > 0.8
    assert attack.baseline.params == {"model": model}
