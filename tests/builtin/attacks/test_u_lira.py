"""U-LiRA, of the unlearned model alone and of both models."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from tests.builtin.attacks.per_record import auc, draws, null_draws, same_before, scores
from unlearnbench.builtin.attacks.u_lira import ULira
from unlearnbench.builtin.attacks.u_lira_pair import ULiraPair
from unlearnbench.core.attacks import ScoreAttack
from unlearnbench.core.references import ReferenceAnswers


def test_known_answers() -> None:
    unlearned, retrained = [1.2, 0.8, 1.5, 1.1, 0.9, 1.4], [0.1, -0.3, 0.4, 0.0, 0.2, -0.1]
    answers, member = np.tile(unlearned + retrained, (5, 1)), np.tile(np.arange(12) < 6, (5, 1))
    known = [-18.823704148374635, -10.674551606001742, 0.5362958516253804, 8.877990766879618, 32.76951619060843]
    found = scores(ULira(), [-0.5, 0.0, 0.6, 1.0, 2.0], same_before(answers, member))
    assert found == pytest.approx(known, rel=1e-12)


@pytest.mark.parametrize("out", ["unlearned", "original"])
def test_it_equals_a_plain_loop(out: str) -> None:
    _, after, known, _ = draws(0, kept=0.5)
    expected = []
    for q, x, u, own in zip(after, known.before, known.after, known.member, strict=True):
        others = (u if out == "unlearned" else x)[~own]
        expected.append(norm(u[own].mean(), u[own].std()).logpdf(q) - norm(others.mean(), others.std()).logpdf(q))
    attack = ULira(out=out)  # type: ignore[arg-type]  # one of the two
    assert scores(attack, after, known) == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_the_pair_equals_a_plain_loop() -> None:
    before, after, known, _ = draws(1, kept=0.5)
    expected = []
    for row in range(len(after)):
        found = []
        for own in (known.member[row], ~known.member[row]):
            points = np.stack([known.after[row, own], known.after[row, own] - known.before[row, own]])
            shrunk = np.cov(points, ddof=0) * np.array([[1, 0.9], [0.9, 1]])
            found.append(
                multivariate_normal(points.mean(axis=1), shrunk).logpdf([after[row], after[row] - before[row]])
            )
        expected.append(found[0] - found[1])
    assert scores(ULiraPair(), after, known, before=before) == pytest.approx(expected, rel=1e-9)


def test_where_unlearning_changes_nothing_the_pair_is_the_single_ratio() -> None:
    _, after, known, _ = draws(2, kept=1.0)
    still = same_before(known.after, known.member)
    assert scores(ULiraPair(), after, still, before=after) == pytest.approx(scores(ULira(), after, still), rel=1e-12)


@pytest.mark.parametrize("attack", [ULira(), ULiraPair()], ids=repr)
def test_where_deleted_and_unseen_records_have_one_law_it_is_at_chance(attack: ScoreAttack) -> None:
    found = [auc(attack, null_draws(seed)) for seed in range(200)]
    assert np.mean(found) == pytest.approx(0.5, abs=3 * np.std(found) / np.sqrt(200))


def test_a_record_that_is_kept_is_found() -> None:
    assert np.mean([auc(ULira(), draws(seed, kept=1.0)) for seed in range(50)]) > 0.8


def test_noise_alone_is_called_a_leak_only_where_models_without_the_record_have_deleted_nothing() -> None:
    """Deleted records are answered with noise by every unlearned model; unseen ones of unprocessed models are not."""
    rng, n, models = np.random.default_rng(1), 4000, 16
    member = np.tile(np.arange(models) % 2 == 0, (n, 1))
    before = rng.normal(size=(n, models))
    known = ReferenceAnswers(before, before + 3 * rng.normal(size=before.shape), member)
    processed = rng.normal(size=n) + 3 * rng.normal(size=n)
    fair, unfair = (scores(ULira(out=out), processed, known) for out in ("unlearned", "original"))
    assert (fair > 0).mean() == pytest.approx(0.5, abs=0.03)
    assert (unfair > 0).mean() > 0.6


@pytest.mark.parametrize("attack", [ULira(), ULiraPair()], ids=repr)
def test_reference_models_that_all_answer_the_same_give_finite_scores(attack: ScoreAttack) -> None:
    still = same_before(np.ones((3, 8)), np.tile([True, False], (3, 4)))
    assert np.isfinite(scores(attack, [1.0, 50.0, -50.0], still, before=[1.0, 0.0, 2.0])).all()
