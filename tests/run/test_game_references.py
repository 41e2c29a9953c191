"""A row is shown what the first reference models and the population answer, where that is declared."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.run.games import (
    Recorder,
)
from unlearnbench.builtin.attacks.u_lira import ULira
from unlearnbench.core.errors import UserError
from unlearnbench.core.observations import Needs, UndeclaredNeedError
from unlearnbench.core.posteriors import log_odds
from unlearnbench.run.attacking import attack_scores
from unlearnbench.run.game import Game


def test_references_that_are_not_there_are_refused(game: Game) -> None:
    with pytest.raises(UserError, match=r"^the attack needs 64 reference models, and there are 16 here$"):
        attack_scores(game, Recorder(Needs(references=64)), "recorder")
    without = replace(game, references=(), population=None)
    with pytest.raises(UserError, match=r"^the attack needs 1 reference models, and there are none here$"):
        attack_scores(without, Recorder(Needs(references=1)), "recorder")


def test_a_larger_population_than_there_is_is_refused(game: Game) -> None:
    with pytest.raises(UserError, match=r"^the attack needs 101 records of the population, and there are 100 here$"):
        attack_scores(game, Recorder(Needs(population=101)), "recorder")
    with pytest.raises(UserError, match=r"^the attack needs 1 records of the population, and there are none here$"):
        attack_scores(replace(game, population=None), Recorder(Needs(population=1)), "recorder")


def test_a_row_is_shown_what_the_first_reference_models_answer_about_its_record(game: Game) -> None:
    rows = np.arange(40)
    view, order = game.view("target", Needs(references=3), rows, game.seeds)
    for place, row in enumerate(order):
        record = game.target.record[row]
        for number, model in enumerate(game.references[:3]):
            (own,) = np.flatnonzero(model.record == record)
            of_label = log_odds(model.before[own][None], model.label[own][None])[0]
            assert view.references.before[place, number] == of_label
            assert view.references.member[place, number] == model.member[own, 0]
    assert view.references.after.shape == (40, 3)


def test_a_row_is_shown_the_population_of_its_own_original_and_request(game: Game) -> None:
    rows = np.arange(len(game.target))
    view, order = game.view("target", Needs(versions="unlearned", population=30, references=2), rows, game.seeds)
    asked = game.population
    assert asked is not None
    for place in range(0, len(rows), 37):
        row = order[place]
        own = (asked.episode == game.target.episode[row]) & (asked.request == game.target.request[row])
        expected = log_odds(asked.after[own][:, -1], asked.label[own])[:30]
        assert np.array_equal(view.population.after[view.population.group[place]], expected)
    assert view.population.before.shape == (24, 0)
    assert view.population.references is not None
    assert view.population.references.after.shape == (30, 2)


def test_shadow_rows_have_no_answers_of_reference_models(game: Game) -> None:
    needs = Needs(references=2, population=5)
    view = game.shadow_view(needs, np.arange(10), game.seeds)
    with pytest.raises(ValueError, match="shadow rows have no answers of reference models"):
        _ = view.references
    with pytest.raises(ValueError, match="shadow rows have no answers of the population"):
        _ = view.population


@pytest.mark.parametrize("what", ["references", "population"])
def test_reference_models_and_population_must_be_declared(game: Game, what: str) -> None:
    view, _ = game.view("target", Needs(), np.arange(10), game.seeds)
    with pytest.raises(UndeclaredNeedError):
        getattr(view, what)


def test_no_shadow_row_is_scored_by_reference_models(game: Game) -> None:
    scores = attack_scores(game, ULira(), "u-lira")
    assert len(scores.shadow) == len(scores.folds) == 0
    assert len(scores.target) == len(game.target)
