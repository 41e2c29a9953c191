from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from unlearnbench.builtin.attacks.score_ratio import ScoreRatio
from unlearnbench.core.observations import Needs, UndeclaredNeedError
from unlearnbench.testing.samples import SampleRows


def test_a_worked_example(make_rows: Callable[..., SampleRows]) -> None:
    rows = make_rows(np.array([[0.5, 0.5]]), np.array([[0.25, 0.75]]), label=np.array([0]))
    assert ScoreRatio(c=1.0).score(rows.view(ScoreRatio().needs)) == pytest.approx(
        [(1 + math.log(4)) / (1 + math.log(2))]
    )


def test_the_default_constant_is_the_published_one(make_rows: Callable[..., SampleRows]) -> None:
    rows = make_rows(np.array([[1.0, 0.0]]), np.array([[0.5, 0.5]]), label=np.array([0]))
    assert ScoreRatio().score(rows.view(ScoreRatio().needs)) == pytest.approx([(0.0005 + math.log(2)) / 0.0005])


def test_deleted_rows_score_high(make_game: Callable[..., SampleRows]) -> None:
    rows = make_game(0, leak=1.0)
    assert roc_auc_score(rows.deleted, ScoreRatio().score(rows.view(ScoreRatio().needs))) > 0.9


def test_without_the_label_it_is_stopped(make_game: Callable[..., SampleRows]) -> None:
    with pytest.raises(UndeclaredNeedError, match="label"):
        ScoreRatio().score(make_game(0).view(Needs()))
