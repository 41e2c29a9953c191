"""RULI: likelihood ratios by kernel density estimates."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import gaussian_kde, norm

from tests.builtin.attacks.per_record import auc, draws, null_draws, same_before, scores
from unlearnbench.builtin.attacks.ruli import Ruli

UNLEARNED, RETRAINED = [1.2, 0.8, 1.5, 1.1, 0.9, 1.4], [0.1, -0.3, 0.4, 0.0, 0.2, -0.1]
OBSERVED = [-0.5, 0.0, 0.6, 1.0, 2.0]
SHARES = [0.24195053390677143, 0.34828164764485353, 0.4988300696472864, 0.6016807569284172, 0.8123791579533612]
"""L_unlearned / (L_unlearned + L_out) of the authors' formula with kernels of width 1."""


def test_known_answers() -> None:
    answers, member = np.tile(UNLEARNED + RETRAINED, (5, 1)), np.tile(np.arange(12) < 6, (5, 1))
    found = scores(Ruli(), OBSERVED, same_before(answers, member))
    assert expit(found) == pytest.approx(SHARES, rel=1e-12)


@pytest.mark.parametrize("out", ["unlearned", "original"])
@pytest.mark.parametrize("bandwidth", [0.3, 1.0])
def test_it_equals_a_plain_loop(out: Any, bandwidth: float) -> None:
    _, after, known, _ = draws(0, kept=0.5)
    expected = []
    for q, x, u, own in zip(after, known.before, known.after, known.member, strict=True):
        others = (u if out == "unlearned" else x)[~own]
        unlearned, outside = (np.mean([norm(one, bandwidth).pdf(q) for one in part]) for part in (u[own], others))
        expected.append(np.log(unlearned) - np.log(outside))
    found = scores(Ruli(out=out, bandwidth=bandwidth), after, known)
    assert found == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_scotts_rule_is_that_of_scipy() -> None:
    _, after, known, _ = draws(1, kept=0.5)
    expected = []
    for q, u, own in zip(after, known.after, known.member, strict=True):
        unlearned, outside = (gaussian_kde(part, "scott").logpdf(q)[0] for part in (u[own], u[~own]))
        expected.append(unlearned - outside)
    assert scores(Ruli(bandwidth="scott"), after, known) == pytest.approx(expected, rel=1e-10, abs=1e-10)


@pytest.mark.parametrize("attack", [Ruli(), Ruli(bandwidth="scott")], ids=repr)
def test_where_deleted_and_unseen_records_have_one_law_it_is_at_chance(attack: Ruli) -> None:
    found = [auc(attack, null_draws(seed)) for seed in range(200)]
    assert np.mean(found) == pytest.approx(0.5, abs=3 * np.std(found) / np.sqrt(200))


@pytest.mark.parametrize("attack", [Ruli(), Ruli(bandwidth="scott")], ids=repr)
def test_a_record_that_is_kept_is_found(attack: Ruli) -> None:
    assert np.mean([auc(attack, draws(seed, kept=1.0)) for seed in range(50)]) > 0.8


def test_answers_far_from_all_kernels_are_still_ranked() -> None:
    answers, member = np.tile(UNLEARNED + RETRAINED, (3, 1)), np.tile(np.arange(12) < 6, (3, 1))
    found = scores(Ruli(bandwidth=0.1), [30.0, 60.0, 90.0], same_before(answers, member))
    assert np.isfinite(found).all()
    assert (np.diff(found) > 0).all()


@pytest.mark.parametrize("attack", [Ruli(), Ruli(bandwidth="scott")], ids=repr)
def test_reference_models_that_all_answer_the_same_give_finite_scores(attack: Ruli) -> None:
    still = same_before(np.ones((3, 8)), np.tile([True, False], (3, 4)))
    assert np.isfinite(scores(attack, [1.0, 50.0, -50.0], still)).all()
