"""LiRA, online and offline, against numbers of the published codes and against plain loops."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

from tests.builtin.attacks.per_record import same_before, scores
from unlearnbench.builtin.attacks.lira import Lira
from unlearnbench.builtin.attacks.lira_offline import LiraOffline, LiraOfflineDensity
from unlearnbench.builtin.attacks.per_record import PerRecordAttack
from unlearnbench.core.references import ReferenceAnswers

KEEP = [
    [1, 0, 1, 0, 1, 1],
    [0, 1, 1, 1, 0, 0],
    [0, 0, 1, 0, 0, 0],
    [1, 1, 0, 0, 1, 1],
    [1, 1, 0, 0, 1, 0],
    [1, 0, 1, 1, 0, 1],
    [0, 1, 1, 0, 0, 0],
    [0, 1, 0, 0, 0, 1],
    [1, 0, 0, 0, 1, 1],
]
MODEL, RECORD = np.mgrid[0:9, 0:6].astype(float)
ODDS = np.sin(1.7 * MODEL + 0.9 * RECORD) + 0.5 * np.cos(3.1 * MODEL * RECORD + 1) + KEEP
TARGET, ANSWERS, MEMBER = ODDS[8], ODDS[:8].T, np.array(KEEP[:8], dtype=bool).T


def chosen_first(
    chosen: np.ndarray[tuple[int, int], np.dtype[np.bool_]],
) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """Keep as many models of each record as the record with the fewest has: so does mi_lira_2021/plot.py."""
    return np.asarray(chosen & (np.cumsum(chosen, axis=1) <= chosen.sum(axis=1).min()))


@pytest.mark.parametrize(
    ("attack", "known"),
    [
        (  # advanced_mia.compute_score_lira of TensorFlow Privacy
            Lira(),
            [
                5.34009658995656,
                2.38018801329169,
                0.785812047401602,
                -1.79735819859804,
                -0.0241693130785383,
                0.395955873067144,
            ],
        ),
        (  # SACRO-ML's mode "offline"
            LiraOffline(),
            [
                0.999649236958857,
                0.988534010872338,
                0.0200962459342678,
                0.00473189388513548,
                0.37392511913656,
                0.61419779792076,
            ],
        ),
    ],
    ids=["online", "offline"],
)
def test_known_answers(attack: PerRecordAttack, known: list[float]) -> None:
    found = scores(attack, TARGET, same_before(ANSWERS, MEMBER))
    assert found == pytest.approx(known, rel=1e-12, abs=1e-12)


def test_the_published_code_of_the_offline_attack() -> None:
    known = [4.9461332347908, 3.18721864139238, 1.26028730699692, 3.72277951468884, 0.701711311313623, 1.64137737262335]
    members = ~chosen_first(~MEMBER)
    assert scores(LiraOfflineDensity(), TARGET, same_before(ANSWERS, members)) == pytest.approx(known, rel=1e-12)


@pytest.mark.parametrize("center", ["median", "mean"])
def test_they_equal_plain_loops(center: str) -> None:
    rng = np.random.default_rng(0)
    answers, odds, member = rng.normal(size=(50, 12)), rng.normal(size=50), rng.random((50, 12)) < 0.5
    middle = getattr(np, center)
    expected: list[tuple[float, float, float]] = []
    for q, row, own in zip(odds, answers, member, strict=True):
        inside, outside = (norm(middle(part), np.std(part)) for part in (row[own], row[~own]))
        expected.append((inside.logpdf(q) - outside.logpdf(q), outside.cdf(q), -outside.logpdf(q)))
    attacks: tuple[Any, ...] = (Lira, LiraOffline, LiraOfflineDensity)
    for k, attack in enumerate(attacks):
        found = scores(attack(center=center), odds, same_before(answers, member))
        assert found == pytest.approx([row[k] for row in expected], rel=1e-12, abs=1e-12)


def test_it_reads_reference_models_before_they_delete() -> None:
    away = ReferenceAnswers(ANSWERS, np.full_like(ANSWERS, np.nan), MEMBER)
    assert np.array_equal(scores(Lira(), TARGET, away), scores(Lira(), TARGET, same_before(ANSWERS, MEMBER)))


@pytest.mark.parametrize("attack", [Lira(), LiraOffline(), LiraOfflineDensity()], ids=repr)
def test_reference_models_that_all_answer_the_same_give_finite_scores(attack: PerRecordAttack) -> None:
    still = same_before(np.ones((3, 8)), np.tile([True, False], (3, 4)))
    assert np.isfinite(scores(attack, [1.0, 50.0, -50.0], still)).all()
