"""Bounds of epsilon by one run whose coins were independent: right on pure noise, high on a leak, refused elsewhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.audit.conftest import make_arrays, softmax
from unlearnbench.audit.answers import read_answers
from unlearnbench.audit.leak import Audit, audit
from unlearnbench.audit.one_run import LEVEL, check_coins, one_run_bounds
from unlearnbench.audit.page import html, one_run_table, to_dict
from unlearnbench.audit.verdict import judge
from unlearnbench.core.errors import UserError
from unlearnbench.hooks.registry import Registry
from unlearnbench.stats.epsilon import one_run_epsilon

Save = Callable[..., Path]
Audited = Callable[..., Audit]


@pytest.fixture
def audited(npz: Save, registry: Registry) -> Audited:
    return lambda arrays: audit(read_answers(npz(arrays)), None, registry)


def test_the_highest_and_the_lowest_tenth_are_guessed_at_a_share_of_the_level(audited: Audited) -> None:
    found = audited(make_arrays(forgotten=100, unseen=100, leak=3.0))
    bounds = one_run_bounds(found)
    tried = [finding for finding in found.findings if not finding.control]
    assert {one.attack for one in bounds} == {finding.attack for finding in tried}
    (finding,) = (one for one in tried if one.attack == "score-diff")
    (bound,) = (one for one in bounds if one.attack == "score-diff")
    role, scores = finding.scored.rows.role, np.where(finding.scored.rows.role == 3, np.nan, finding.scores)
    order = np.argsort(scores)[:200]
    correct = (role[order[:20]] == 1).sum() + (role[order[-20:]] == 0).sum()
    level = 1 - (1 - LEVEL) / len(tried)
    assert (bound.coins, bound.guesses, bound.correct) == (200, 40, correct)
    assert bound.epsilon == one_run_epsilon(bound.correct, 40, 200, 1e-5, level) > 1


@pytest.mark.slow
def test_where_models_answer_at_random_some_bound_is_above_zero_in_at_most_a_twentieth(audited: Audited) -> None:
    highest = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        arrays: dict[str, Any] = make_arrays(forgotten=100, unseen=100, retained=0, seed=seed)
        arrays["role"] = np.where(rng.random(200) < 0.5, "forgotten", "unseen")
        highest.append(one_run_bounds(audited(arrays))[0].epsilon)
    assert np.mean(np.array(highest) > 0) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 40)


def test_equal_scores_are_guessed_in_an_order_that_is_not_that_of_the_file(audited: Audited) -> None:
    arrays = make_arrays(forgotten=200, unseen=200, retained=0)
    still = {**arrays, "before": softmax(np.zeros((400, 3))), "after": softmax(np.zeros((400, 3)))}
    assert all(one.epsilon == 0 for one in one_run_bounds(audited(still)))


def test_numbers_that_are_not_of_fair_coins_are_refused(npz: Save) -> None:
    check_coins(read_answers(npz(make_arrays(forgotten=90, unseen=110))))
    with pytest.raises(UserError, match="20 deleted and 120 unseen records are not of fair coins; give the records of"):
        check_coins(read_answers(npz(make_arrays())))


def test_page_and_data_have_them_where_there_were_coins(audited: Audited) -> None:
    found = audited(make_arrays(forgotten=100, unseen=100, leak=3.0))
    verdict, bounds = judge(found), one_run_bounds(found)
    assert "What one run proves about epsilon, delta 1e-05" in html(found, verdict, bounds)
    assert "What one run proves" not in html(found, verdict)
    (first, *_) = json.loads(json.dumps(to_dict(found, verdict, bounds)))["one_run"]
    assert (first["attack"], first["epsilon"], first["delta"]) == (bounds[0].attack, bounds[0].epsilon, 1e-5)
    assert one_run_table(bounds)[0][2] == "40 of 200"
