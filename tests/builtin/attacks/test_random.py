from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import kstest
from sklearn.metrics import roc_auc_score

from unlearnbench.builtin.attacks.random import Random
from unlearnbench.core.observations import UndeclaredNeedError
from unlearnbench.testing.samples import SampleRows


def guesses(rows: SampleRows, seed: int = 0) -> NDArray[np.float64]:
    attack = Random()
    return attack.fit(rows.shadow(attack.needs), np.random.default_rng(seed)).score(rows.view(attack.needs))


def test_guesses_are_uniform_and_find_nothing(make_game: Callable[..., SampleRows]) -> None:
    rows = make_game(0, n=4000)
    scores = guesses(rows)
    assert kstest(scores, "uniform").pvalue > 0.001
    assert len(np.unique(scores)) == 4000
    assert roc_auc_score(rows.deleted, scores) == pytest.approx(0.5, abs=0.04)


def test_guesses_have_nothing_to_do_with_what_a_row_holds(make_game: Callable[..., SampleRows]) -> None:
    rows, other = make_game(0), make_game(5)
    assert np.array_equal(guesses(rows), guesses(replace(other, key=rows.key)))


def test_guesses_do_not_depend_on_how_episodes_are_split_over_calls(make_game: Callable[..., SampleRows]) -> None:
    rows, attack = make_game(0, n=100), Random()
    guess = attack.fit(rows.shadow(attack.needs), np.random.default_rng(0))
    parts = [rows.take(rows.episode < 4), rows.take(rows.episode >= 4)]
    assert np.array_equal(
        np.concatenate([guess.score(part.view(attack.needs)) for part in parts]), guess.score(rows.view(attack.needs))
    )


def test_another_seed_gives_other_scores(make_game: Callable[..., SampleRows]) -> None:
    assert not np.array_equal(guesses(make_game(0), seed=1), guesses(make_game(0), seed=2))


def test_it_may_see_no_model_at_all(make_game: Callable[..., SampleRows]) -> None:
    view = make_game(0).view(Random().needs)
    for hidden in ("before", "after", "label", "features"):
        with pytest.raises(UndeclaredNeedError):
            getattr(view, hidden)
