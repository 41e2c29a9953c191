from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.run.games import NEGATIVES, REQUESTS, ByPlace, Fitted, Recorder, auc_of, make_game
from unlearnbench.core.attacks import Attack, FittedAttack, ScoreAttack
from unlearnbench.core.observations import ShadowView, View
from unlearnbench.run.attacking import attack_scores, folds_of, folds_scored, oracle_scores
from unlearnbench.run.game import Game


@pytest.fixture(scope="module")
def game() -> Game:
    return make_game()


@dataclass
class Relative(ScoreAttack):
    """Compares a row with the mean of its view."""

    def score(self, view: View) -> NDArray[np.float64]:
        return np.asarray(view.before[:, 0] - view.before[:, 0].mean())


@dataclass
class Counting(ScoreAttack):
    """Adds how many rows it scored so far."""

    scored: list[int] = field(default_factory=list)

    def score(self, view: View) -> NDArray[np.float64]:
        self.scored.append(len(view))
        return view.before[:, 0] + len(self.scored)


@dataclass
class Sly(ScoreAttack):
    """Knows one row in five when it has company."""

    def score(self, view: View) -> NDArray[np.float64]:
        known = view.key % np.uint64(5) == 0
        return np.where(known & (len(view) == 1 + NEGATIVES), view.before.mean(), view.before[:, 0])


@dataclass
class OnlyAlone(ScoreAttack):
    """Gives a row another score where there is no other row."""

    def score(self, view: View) -> NDArray[np.float64]:
        return view.before[:, 0] + (len(view) == 1)


@pytest.mark.parametrize(
    ("attack", "said"),
    [
        (ByPlace(), "rows in other company"),
        (Relative(), "rows in other company"),
        (Counting(), "rows in other company"),
        (Sly(), "rows in other company"),
        (OnlyAlone(), "a row alone"),
    ],
)
def test_scores_that_follow_from_more_than_their_row_are_an_error(game: Game, attack: Attack, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        attack_scores(game, attack, "relative")


@pytest.mark.parametrize("originals", [2, 3, 6])
def test_a_shadow_row_is_never_scored_by_an_attack_fitted_on_its_original(originals: int) -> None:
    recorder = Recorder()
    made = make_game(originals)
    scores = attack_scores(made, recorder, "recorder")
    requests, rest = recorder.pairs[: len(made.companies)], recorder.pairs[len(made.companies) :]
    folds, targets = rest[::2], rest[1::2]
    assert all(fitted == set(range(originals)) for fitted, _ in requests)
    assert [fitted for fitted, _ in targets] == [fitted for fitted, _ in folds]
    assert set().union(*(scored for _, scored in requests)) == set(range(originals))
    assert len(folds) == min(5, originals)
    assert all(fitted.isdisjoint(scored) for fitted, scored in folds)
    assert set().union(*(scored for _, scored in folds)) == set(range(originals))
    assert len(scores.shadow) == originals * REQUESTS * 2
    assert scores.folds.shape == (len(folds), len(scores.target))


def test_one_shadow_original_leaves_nothing_to_cross_fit() -> None:
    scores = attack_scores(make_game(1), Recorder(), "recorder")
    assert len(scores.shadow) == len(scores.folds) == 0


def test_each_fold_scores_the_target_rows_by_an_attack_that_was_fitted_without_it(game: Game) -> None:
    @dataclass
    class Mean(Attack):
        def fit(self, shadow: ShadowView, rng: np.random.Generator) -> FittedAttack:
            return Constant(float(shadow.before[:, 0].mean()))

    @dataclass
    class Constant:
        level: float

        def score(self, view: View) -> NDArray[np.float64]:
            return view.before[:, 0] - self.level

    scores, rows, fold = attack_scores(game, Mean(), "mean"), game.balanced.before[:, 0], folds_of(game)
    assert len(np.unique(fold)) == len(scores.folds) == 5
    for k in range(5):
        np.testing.assert_allclose(scores.folds[k], game.target.before[:, 0] - rows[fold != k].mean(), rtol=1e-6)
        np.testing.assert_allclose(scores.shadow[fold == k], rows[fold == k] - rows[fold != k].mean())


def test_all_fits_of_an_attack_draw_the_same_random_numbers(game: Game) -> None:
    @dataclass
    class Draws(Attack):
        drawn: list[float] = field(default_factory=list)

        def fit(self, shadow: ShadowView, rng: np.random.Generator) -> FittedAttack:
            self.drawn.append(float(rng.random()))
            return Fitted(Recorder(), set())

    draws = Draws()
    attack_scores(game, draws, "draws")
    assert len(draws.drawn) == 6
    assert len(set(draws.drawn)) == 1


def test_an_attack_that_learns_nothing_needs_no_folds(game: Game) -> None:
    @dataclass
    class First(ScoreAttack):
        def score(self, view: View) -> NDArray[np.float64]:
            return view.before[:, 0]

    scores = attack_scores(game, First(), "first")
    assert scores.folds.shape == (0, len(scores.target))
    assert folds_scored(game, First()) == 0
    assert folds_scored(game, Recorder()) == 5


def test_scores_come_back_in_the_order_of_the_rows(game: Game) -> None:
    @dataclass
    class First(ScoreAttack):
        def score(self, view: View) -> NDArray[np.float64]:
            return view.before[:, 0]

    np.testing.assert_array_equal(attack_scores(game, First(), "first").target, game.target.before[:, 0])


def test_scores_that_are_not_one_finite_number_a_row_are_an_error(game: Game) -> None:
    @dataclass
    class Bad(ScoreAttack):
        answer: Callable[[int], NDArray[np.float64]]

        def score(self, view: View) -> NDArray[np.float64]:
            return self.answer(len(view))

    n = 1 + NEGATIVES
    for answer, said in (
        (lambda k: np.zeros(k - 1), rf"got shape \({n - 1},\), 0 of them not finite"),
        (lambda k: np.zeros((k, 1)), rf"got shape \({n}, 1\)"),
        (lambda k: np.r_[np.nan, np.inf, np.zeros(k - 2)], "2 of them not finite"),
    ):
        with pytest.raises(ValueError, match=said):
            attack_scores(game, Bad(answer), "bad")


def test_the_oracle_is_right_and_a_guess_is_not() -> None:
    game = make_game(originals=60)
    oracle = oracle_scores(game)
    assert auc_of(game, oracle.target) == 1
    assert len(oracle.shadow) == 60 * REQUESTS * 2
    from unlearnbench.builtin.attacks.random import Random

    assert auc_of(game, attack_scores(game, Random(), "random").target) == pytest.approx(0.5, abs=0.06)
