from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from unlearnbench.builtin.attacks.score_diff import ScoreDiff
from unlearnbench.core.observations import Needs, UndeclaredNeedError
from unlearnbench.testing.samples import SampleRows


def test_it_is_the_loss_after_minus_the_loss_before(make_game: Callable[..., SampleRows]) -> None:
    rows = make_game(0, n=50)
    expected = [
        log_loss([y], [after], labels=range(4)) - log_loss([y], [before], labels=range(4))
        for y, before, after in zip(rows.label, np.exp(rows.before), np.exp(rows.after[:, 0]), strict=True)
    ]
    assert ScoreDiff().score(rows.view(ScoreDiff().needs)) == pytest.approx(expected)


def test_a_worked_example(make_rows: Callable[..., SampleRows]) -> None:
    rows = make_rows(np.array([[0.8, 0.2]]), np.array([[0.4, 0.6]]), label=np.array([0]))
    assert ScoreDiff().score(rows.view(ScoreDiff().needs)) == pytest.approx([math.log(2)])


def test_deleted_rows_score_high(make_game: Callable[..., SampleRows]) -> None:
    rows = make_game(0, leak=1.0)
    assert roc_auc_score(rows.deleted, ScoreDiff().score(rows.view(ScoreDiff().needs))) > 0.95


def test_it_learns_nothing_from_shadow_rows(make_game: Callable[..., SampleRows]) -> None:
    attack = ScoreDiff()
    assert attack.fit(make_game(0).shadow(attack.needs), np.random.default_rng(0)) is attack


def test_without_the_label_it_is_stopped(make_game: Callable[..., SampleRows]) -> None:
    with pytest.raises(UndeclaredNeedError, match="label"):
        ScoreDiff().score(make_game(0).view(Needs()))
