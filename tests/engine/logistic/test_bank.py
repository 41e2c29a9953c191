from __future__ import annotations

from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray

from unlearnbench.core.posteriors import FLOOR, log_softmax
from unlearnbench.engine.banks import Member
from unlearnbench.engine.logistic.objective import basis
from unlearnbench.engine.logistic.solve import LogisticBank, SolvedBase

NO_BASE = cast(SolvedBase, None)
"""A bank only keeps its base alive; its answers do not read it."""


def halve(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return x / 2


def bank(classes: list[int], d: int = 6, k: int = 40, n_classes: int = 10) -> LogisticBank:
    weights = np.random.default_rng(0).normal(size=(k, len(classes) - 1, d + 1))
    return LogisticBank(weights, np.array(classes), n_classes, halve, NO_BASE)


@pytest.mark.parametrize("classes", [[0, 3], [1, 4, 9], list(range(10))])
def test_a_member_answers_with_the_softmax_of_its_logits_over_the_classes_that_were_seen(classes: list[int]) -> None:
    models, x = bank(classes), np.random.default_rng(1).normal(size=(7, 6))
    answer = Member(models, 5).log_posteriors(x)
    v = models.weights[5]
    logits = (x / 2 @ v[:, :-1].T + v[:, -1]) @ basis(len(classes)).T
    np.testing.assert_allclose(answer[:, classes], log_softmax(logits), atol=1e-13)
    assert (np.delete(answer, classes, axis=1) == np.log(FLOOR)).all()


@pytest.mark.parametrize("classes", [[0, 3], [1, 4, 9], list(range(10))])
@pytest.mark.parametrize("n", [1, 2, 33])
@pytest.mark.parametrize("block", [2**18, 500])
def test_answers_do_not_depend_on_which_other_members_are_queried(
    classes: list[int], n: int, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("unlearnbench.engine.logistic.solve._BLOCK", block)
    models, x = bank(classes), np.random.default_rng(1).normal(size=(n, 6))
    everybody = models.log_posteriors(x, np.arange(40))
    some = np.array([31, 2, 2, 17])
    np.testing.assert_array_equal(models.log_posteriors(x, some), everybody[some])
    np.testing.assert_array_equal(Member(models, 9).log_posteriors(x), everybody[9])


def test_the_small_posterior_beside_a_confident_one_keeps_its_digits() -> None:
    models = LogisticBank(np.array([[[1.0, 0.0]]]), np.arange(2), 2, halve, NO_BASE)
    assert Member(models, 0).log_posteriors(np.array([[100.0]]))[0].tolist() == pytest.approx([-50.0, 0.0], rel=1e-12)


def test_no_members_and_no_records_give_empty_answers() -> None:
    models = bank([0, 1, 2], n_classes=3)
    assert models.log_posteriors(np.zeros((4, 6)), np.empty(0, dtype=np.int64)).shape == (0, 4, 3)
    assert models.log_posteriors(np.zeros((0, 6)), np.array([1, 2])).shape == (2, 0, 3)
