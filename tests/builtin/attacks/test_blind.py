from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from unlearnbench.builtin.attacks.blind import Blind
from unlearnbench.core.observations import UndeclaredNeedError
from unlearnbench.testing.samples import SampleRows


def auc(shadow: SampleRows, target: SampleRows) -> float:
    attack = Blind()
    scores = attack.fit(shadow.shadow(attack.needs), np.random.default_rng(0)).score(target.view(attack.needs))
    return float(roc_auc_score(target.deleted, scores))


def test_a_leak_of_the_models_is_none_of_its_business(make_game: Callable[..., SampleRows]) -> None:
    assert auc(make_game(1, leak=5.0), make_game(2, n=4000, leak=5.0)) == pytest.approx(0.5, abs=0.04)


def test_records_that_differ_to_begin_with_are_found(make_game: Callable[..., SampleRows]) -> None:
    shadow, target = (
        replace(rows, features=rows.features + rows.deleted[:, None]) for rows in (make_game(1), make_game(2))
    )
    assert auc(shadow, target) > 0.75


def test_labels_that_differ_to_begin_with_are_found(make_game: Callable[..., SampleRows]) -> None:
    shadow, target = (replace(rows, label=rows.deleted.astype(np.int64)) for rows in (make_game(1), make_game(2)))
    assert auc(shadow, target) > 0.95


def test_images_are_records_too(make_game: Callable[..., SampleRows]) -> None:
    images = [replace(rows, features=np.zeros((len(rows), 4, 4, 1))) for rows in (make_game(1), make_game(2))]
    for rows in images:
        rows.features[:, 2, 3, 0] = rows.deleted
    assert auc(*images) == 1.0


@pytest.mark.parametrize("n", [2, 10])
def test_too_few_records_give_one_half(n: int, make_game: Callable[..., SampleRows]) -> None:
    attack, rows = Blind(), make_game(1, n=n)
    scores = attack.fit(rows.shadow(attack.needs), np.random.default_rng(0)).score(rows.view(attack.needs))
    assert scores == pytest.approx(np.full(n, 0.5))


def test_it_may_see_no_model_at_all(make_game: Callable[..., SampleRows]) -> None:
    view = make_game(0).view(Blind().needs)
    for hidden in ("before", "after"):
        with pytest.raises(UndeclaredNeedError):
            getattr(view, hidden)
