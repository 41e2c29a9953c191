"""The strongest attack is chosen on shadow rows that it was not fitted on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, get_args

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError
from sklearn.metrics import roc_auc_score

from unlearnbench.builtin.attacks.score_diff import ScoreDiff
from unlearnbench.builtin.attacks.sorted_diff import SortedDiff
from unlearnbench.builtin.attacks.strongest import CANDIDATES, Candidate, Strongest
from unlearnbench.hooks.registry import load_registry
from unlearnbench.testing.samples import SampleRows

FORMULAS: tuple[Candidate, ...] = ("forgetting", "gap", "score-diff")


def test_it_scores_as_the_chosen_attack_fitted_on_all_shadow_rows(make_game: Callable[..., SampleRows]) -> None:
    attack = Strongest(attacks=("gap", "sorted-diff"))
    shadow, target = make_game(0, leak=2.0), make_game(1, leak=2.0)
    fitted = attack.fit(shadow.shadow(attack.needs), np.random.default_rng(0))
    seed = int(np.random.default_rng(0).integers(2**63))
    assert attack.chosen(shadow.shadow(attack.needs), seed) == "sorted-diff"
    alone = SortedDiff().fit(shadow.shadow(attack.needs), np.random.default_rng(seed))
    view = target.view(attack.needs)
    assert np.array_equal(fitted.score(view), alone.score(view))


def test_the_choice_is_that_of_a_plain_loop(make_game: Callable[..., SampleRows]) -> None:
    for seed in range(10):
        rows = make_game(seed, n=60, leak=0.1)
        second = np.unique(rows.episode, return_inverse=True)[1] % 2 == 1
        means = []
        for name in FORMULAS:
            made: Any = CANDIDATES[name]()
            scores = made.score(rows.view(made.needs))
            means.append(np.mean([roc_auc_score(rows.deleted[half], scores[half]) for half in (second, ~second)]))
        attack = Strongest(attacks=FORMULAS)
        assert attack.chosen(rows.shadow(attack.needs), 0) == FORMULAS[int(np.argmax(means))]


def test_an_attack_that_learns_is_judged_on_originals_that_it_has_not_seen(
    make_game: Callable[..., SampleRows],
) -> None:
    """With little trace a decision tree is best on the rows that it was fitted on, and a formula on others."""
    rows = make_game(0, n=100, leak=0.05)
    attack = Strongest(attacks=("direct-concat", "score-diff"))
    assert attack.chosen(rows.shadow(attack.needs), 0) == "score-diff"
    tree = CANDIDATES["direct-concat"]().fit(rows.shadow(attack.needs), np.random.default_rng(0))
    formula = ScoreDiff().score(rows.view(attack.needs))
    own = roc_auc_score(rows.deleted, tree.score(rows.view(attack.needs)))
    assert own > roc_auc_score(rows.deleted, formula)


def test_with_one_original_its_requests_are_the_halves(make_game: Callable[..., SampleRows]) -> None:
    rows = make_game(0, leak=2.0)
    one = replace(rows, episode=np.zeros_like(rows.episode), request=np.arange(len(rows)) // 10)
    attack = Strongest(attacks=("gap", "score-diff"))
    assert attack.chosen(one.shadow(attack.needs), 0) == "score-diff"


def test_where_nothing_can_be_judged_the_first_attack_is_chosen(make_game: Callable[..., SampleRows]) -> None:
    rows = make_game(0)
    none_deleted = replace(rows, deleted=np.zeros_like(rows.deleted))
    attack = Strongest(attacks=("gap", "score-diff"))
    assert attack.chosen(none_deleted.shadow(attack.needs), 0) == "gap"


def test_without_a_trace_it_is_at_chance_on_the_target(make_game: Callable[..., SampleRows]) -> None:
    """The best of several AUCs on the target would be above it."""
    attack, chosen, best = Strongest(attacks=FORMULAS), [], []
    for seed in range(200):
        shadow, target = make_game(2 * seed, n=60, leak=0.0), make_game(2 * seed + 1, n=60, leak=0.0)
        view = target.view(attack.needs)
        fitted = attack.fit(shadow.shadow(attack.needs), np.random.default_rng(seed))
        chosen.append(roc_auc_score(target.deleted, fitted.score(view)))
        formulas: list[Any] = [CANDIDATES[name]() for name in FORMULAS]
        best.append(max(roc_auc_score(target.deleted, made.score(view)) for made in formulas))
    assert np.mean(chosen) == pytest.approx(0.5, abs=3 * np.std(chosen) / np.sqrt(200))
    assert np.mean(best) > 0.53


def test_candidates_are_the_attacks_of_these_names() -> None:
    registry = load_registry()
    assert set(get_args(Candidate)) == set(CANDIDATES)
    for name, made in CANDIDATES.items():
        assert registry.get("attack", name).load() is made
        assert not made().needs.target_only


@pytest.mark.parametrize("attacks", [[], ["u-lira"], ["strongest"]])
def test_other_attacks_are_refused(attacks: list[str]) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Strongest).validate_python({"attacks": attacks})
