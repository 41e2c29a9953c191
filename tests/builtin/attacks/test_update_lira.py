"""LiRA on an update: the difference of the two models' likelihood ratios."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from tests.builtin.attacks.per_record import auc, draws, null_draws, scores
from unlearnbench.builtin.attacks.lira import Lira
from unlearnbench.builtin.attacks.update_lira import UpdateLira


def test_it_equals_a_plain_loop() -> None:
    before, after, known, _ = draws(0, kept=0.3)
    expected = []
    for b, a, answers, own in zip(before, after, known.before, known.member, strict=True):
        inside, outside = (norm(np.median(part), part.std()) for part in (answers[own], answers[~own]))
        ratio = [inside.logpdf(q) - outside.logpdf(q) for q in (b, a)]
        expected.append(ratio[0] - ratio[1])
    assert scores(UpdateLira(), after, known, before=before) == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_it_is_the_fall_of_lira() -> None:
    before, after, known, _ = draws(1, kept=0.3)
    fall = scores(Lira(), before, known) - scores(Lira(), after, known)
    assert scores(UpdateLira(), after, known, before=before) == pytest.approx(fall, rel=1e-12, abs=1e-12)


def test_where_nothing_changes_no_record_is_told_from_another() -> None:
    before, _, known, _ = draws(2, kept=1.0)
    assert not scores(UpdateLira(), before, known, before=before).any()


def test_a_record_that_a_model_forgets_is_found() -> None:
    assert np.mean([auc(UpdateLira(), draws(seed, kept=0.0)) for seed in range(50)]) > 0.9


def test_where_deleted_and_unseen_records_have_one_law_it_is_at_chance() -> None:
    found = [auc(UpdateLira(), null_draws(seed)) for seed in range(200)]
    assert np.mean(found) == pytest.approx(0.5, abs=3 * np.std(found) / np.sqrt(200))
