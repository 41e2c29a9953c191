"""IAM: where an answer lies on the way from models without the record to the original."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import gumbel_r, norm

from tests.builtin.attacks.per_record import auc, draws, null_draws, same_before, scores
from unlearnbench.builtin.attacks.gaussian import Normals
from unlearnbench.builtin.attacks.iam import EULER_GAMMA, TOGETHER, Iam
from unlearnbench.core.errors import UserError
from unlearnbench.core.references import ReferenceAnswers

SHADOW, RECORD = np.mgrid[0:4, 0:5].astype(float)
OUTSIDE = (0.35 + 0.2 * np.sin(1.3 * SHADOW + 0.7 * RECORD)).T
ORIGINAL = 0.9 + 0.05 * np.cos(np.arange(5))
UNLEARNED = np.array([0.3, 0.5, 0.7, 0.9, 0.95])

COMPLETE = {
    ("gumbel", 2): [
        0.7605972334456791,
        0.1674380222379943,
        0.02857676277720944,
        0.0020390364174831532,
        0.0004809765325817228,
    ],
    ("gumbel", 10): [
        0.9930978479595591,
        0.8773607271759848,
        0.4861832547456517,
        0.0008968421809530946,
        0.0001438574743982679,
    ],
    ("gumbel", 100): [
        0.9983284431508429,
        0.9200441941866194,
        0.568344314252974,
        0.0007426247291334453,
        0.00011266942907628419,
    ],
    ("normal", 2): [
        0.7669088753757676,
        0.1913207089496054,
        0.010426612035375316,
        5.944818531222751e-06,
        1.831073948022066e-08,
    ],
    ("normal", 10): [
        0.990292256812956,
        0.8817741798255165,
        0.4889698352964783,
        1.0806309056476948e-06,
        1.5621081095318345e-09,
    ],
    ("normal", 100): [
        0.9964190347038621,
        0.9223486202926656,
        0.5731333476631424,
        7.695907912053102e-07,
        8.896818837200726e-10,
    ],
}
"""How complete the authors' code calls the unlearning of five records, by distribution and steps, with the standard
deviation of each record."""
SIGNALS = [
    0.0,
    0.12980713662056698,
    0.22778720886719053,
    0.39664596728667423,
    0.6530206346442067,
    0.9012614018389928,
    1.0,
]


@pytest.mark.parametrize(("variant", "complete"), COMPLETE.items(), ids=str)
def test_known_answers(variant: tuple[Any, int], complete: list[float]) -> None:
    attack = Iam(distribution=variant[0], steps=variant[1])
    outside = Normals.of(OUTSIDE, np.ones(OUTSIDE.shape, dtype=np.bool_), "mean")
    assert 1 - attack.remembered(UNLEARNED, ORIGINAL, outside) == pytest.approx(complete, rel=1e-12, abs=1e-12)


def test_known_signals() -> None:
    p = np.array([0.0, 0.01, 0.1, 0.5, 0.9, 0.99, 1.0])
    assert Iam().signal(p) == pytest.approx(SIGNALS, rel=1e-12, abs=1e-12)


def signal(p: float) -> float:
    raw = [-np.log(0.01 - np.log(1e-5 + one)) for one in (0.0, 1.0, p)]
    return float((raw[2] - raw[0]) / (raw[1] - raw[0]))


@pytest.mark.parametrize("out", ["unlearned", "original"])
@pytest.mark.parametrize("distribution", ["gumbel", "normal"])
def test_it_equals_a_plain_loop_over_moved_signals(out: Any, distribution: Any) -> None:
    before, after, known, _ = draws(0, kept=0.5, n=12)
    expected = []
    for row in range(len(after)):
        others = (known.after if out == "unlearned" else known.before)[row, ~known.member[row]]
        original, unlearned, total = signal(expit(before[row])), signal(expit(after[row])), 0.0
        for k in range(1, 20):
            share = (k - 1) / 19
            moved = np.array([(1 - share) * signal(expit(one)) + share * original for one in others])
            scale = moved.std() * np.sqrt(6) / np.pi
            gumbel = gumbel_r(moved.mean() - EULER_GAMMA * scale, scale)
            law = gumbel if distribution == "gumbel" else norm(moved.mean(), moved.std())
            total += k * law.cdf(unlearned)
        expected.append(total / sum(range(1, 20)))
    attack = Iam(out=out, distribution=distribution, steps=20)
    assert scores(attack, after, known, before=before) == pytest.approx(expected, rel=0, abs=1e-12)


def test_more_rows_than_are_scored_together_have_the_scores_of_parts_of_them() -> None:
    before, after, known, _ = draws(0, kept=0.5, n=TOGETHER + 300)
    found = scores(Iam(), after, known, before=before)
    for part in (slice(0, 1), slice(TOGETHER - 200, TOGETHER + 200), slice(TOGETHER + 299, None)):
        alone = ReferenceAnswers(known.before[part], known.after[part], known.member[part])
        assert scores(Iam(), after[part], alone, before=before[part]).tolist() == found[part].tolist()


def test_where_deleted_and_unseen_records_have_one_law_it_is_at_chance() -> None:
    found = [auc(Iam(), null_draws(seed)) for seed in range(200)]
    assert np.mean(found) == pytest.approx(0.5, abs=3 * np.std(found) / np.sqrt(200))


def test_a_record_that_is_kept_is_found() -> None:
    assert np.mean([auc(Iam(), draws(seed, kept=1.0)) for seed in range(50)]) > 0.7


def test_a_record_that_retraining_forgets_scores_below_unseen_ones() -> None:
    """The way to the original is long for a deleted record only: so the attack also sees that there was one."""
    assert np.mean([auc(Iam(), draws(seed, kept=0.0)) for seed in range(50)]) < 0.4


@pytest.mark.parametrize("distribution", ["gumbel", "normal"])
def test_reference_models_that_all_answer_the_same_give_finite_scores(distribution: Any) -> None:
    still = same_before(np.ones((3, 8)), np.tile([True, False], (3, 4)))
    found = scores(Iam(distribution=distribution), [1.0, 50.0, -50.0], still, before=[1.0, 0.0, 2.0])
    assert ((found >= 0) & (found <= 1)).all()


def test_a_signal_that_is_not_defined_for_a_certain_answer_is_refused() -> None:
    with pytest.raises(UserError, match=r"eps1: must be above log\(1 \+ eps2\) = 0.0953102, got 0.05"):
        Iam(eps1=0.05, eps2=0.1)
