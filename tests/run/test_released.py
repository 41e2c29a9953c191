"""Utility is measured on what a defense releases, against scikit-learn and a defense whose cost is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, log_loss

from tests.run.games import REQUESTS, make_game
from unlearnbench.builtin.defenses.label_only import LabelOnly
from unlearnbench.builtin.defenses.posterior_noise import PosteriorNoise
from unlearnbench.core.observations import Observations
from unlearnbench.core.posteriors import log_softmax
from unlearnbench.core.scenarios import Role
from unlearnbench.run.game import Game
from unlearnbench.run.released import measured_originals, released_utility
from unlearnbench.run.releasing import release
from unlearnbench.stats import calibration_error


@pytest.fixture(scope="module")
def game() -> Game:
    """A game whose models are right about most unseen records."""
    made = make_game()
    right = 2.0 * np.eye(3)[made.target.label]
    after = log_softmax(made.target.after[:, 0] + right)[:, None]
    return replace(made, target=replace(made.target, after=after))


def of_request(rows: Observations, original: int, request: int) -> Observations:
    return rows.take((rows.episode == original) & (rows.request == request) & (rows.role == Role.UNSEEN))


def test_accuracy_and_log_loss_are_those_of_the_unseen_rows_of_each_request(game: Game) -> None:
    accuracy, loss, _ = released_utility(game.target, game.measured)
    assert len(accuracy) == 6 * REQUESTS
    for number in range(len(accuracy)):
        rows = of_request(game.target, number // REQUESTS, number % REQUESTS)
        posteriors = np.exp(rows.after[:, 0])
        assert accuracy[number] == accuracy_score(rows.label, posteriors.argmax(axis=1))
        assert loss[number] == pytest.approx(log_loss(rows.label, posteriors, labels=[0, 1, 2]))


def test_the_calibration_error_is_that_of_all_requests_of_an_original(game: Game) -> None:
    errors = released_utility(game.target, game.measured)[2].reshape(6, REQUESTS)
    for original, own in enumerate(errors):
        rows = game.target.take((game.target.episode == original) & (game.target.role == Role.UNSEEN))
        posteriors = np.exp(rows.after[:, 0])
        expected = calibration_error(posteriors.argmax(axis=1) == rows.label, posteriors.max(axis=1))
        assert own == pytest.approx(expected)


def test_the_last_version_of_a_request_counts(game: Game) -> None:
    rows = game.target
    wrong = log_softmax(-50.0 * np.eye(3)[rows.label])
    two = replace(rows, after=np.stack([rows.after[:, 0], wrong], axis=1))
    single = released_utility(two, game.measured)
    np.testing.assert_array_equal(single, released_utility(rows, game.measured))  # versions says that there is one
    last = released_utility(replace(two, versions=np.full(len(rows), 2)), game.measured)
    assert last[0].max() == 0
    assert last[1].min() == pytest.approx(50, abs=1)


def test_noise_costs_accuracy_and_labels_alone_do_not(game: Game) -> None:
    plain = released_utility(game.target, game.measured)
    noisy = released_utility(release(game, PosteriorNoise(3.0)).target, game.measured)
    labels = released_utility(release(game, LabelOnly()).target, game.measured)
    assert noisy[0].mean() < plain[0].mean() - 0.05
    np.testing.assert_array_equal(labels[0], plain[0])
    assert labels[1].mean() > plain[1].mean()
    assert labels[2].reshape(6, REQUESTS)[:, 0] == pytest.approx(1 - plain[0].reshape(6, REQUESTS).mean(axis=1))


def test_rows_in_another_order_give_the_same(game: Game) -> None:
    order = np.random.default_rng(0).permutation(len(game.target))
    shuffled = released_utility(game.target.take(order), game.measured[order])
    np.testing.assert_allclose(shuffled, released_utility(game.target, game.measured), rtol=1e-12)


def test_each_request_is_measured_and_has_its_original(game: Game) -> None:
    np.testing.assert_array_equal(measured_originals(game.target, game.measured), np.repeat(np.arange(6), REQUESTS))


def test_with_a_request_without_unseen_records_nothing_is_measured(game: Game) -> None:
    rows = game.target
    measured = game.measured & ~((rows.episode == 2) & (rows.request == 1))
    assert released_utility(rows, measured).shape == (3, 0)
    assert len(measured_originals(rows, measured)) == 0


def test_unseen_records_are_measured_but_canaries(game: Game) -> None:
    unseen = game.target.role == Role.UNSEEN
    assert np.array_equal(game.measured, unseen)
    canary = np.arange(len(game.records)) % 3 == 0
    marked = replace(game, records=replace(game.records, canary=canary))
    assert np.array_equal(marked.measured, unseen & (game.target.record % 3 != 0))
    assert 0 < marked.measured.sum() < unseen.sum()
