from __future__ import annotations

import numpy as np
import torch

from tests.engine.gradients.case import LINEAR, NETWORK, gradient, known, weights
from unlearnbench.builtin.unlearners.edits.negmerge import NegMerge, unanimous

FORGET = range(6)


def test_changes_are_merged_as_is_known() -> None:
    case = known("negmerge")
    merged = unanimous([torch.tensor(each) for each in case["task_vectors"]])
    np.testing.assert_allclose(merged, case["merged"], atol=1e-7)


def test_of_one_network_and_one_step_it_is_a_step_uphill() -> None:
    method = NegMerge(scale=3.0, epochs=1, learning_rate=0.1, factors=(1.0,))
    (after,) = LINEAR.unlearn(method, FORGET)
    before = LINEAR.original().fitted
    step = 3.0 * 0.1 * gradient(before, LINEAR.records, FORGET)
    np.testing.assert_allclose(weights(after) - weights(before), step, atol=1e-6)


def test_a_network_that_does_not_change_vetoes_all_weights() -> None:
    (deletion,) = NETWORK.deletions(NegMerge(), [FORGET])
    assert NegMerge(factors=(1.0, 0.0)).unlearn(deletion) is deletion.fitted
    assert NegMerge(factors=()).unlearn(deletion) is deletion.fitted


def test_the_loss_of_the_forget_set_rises() -> None:
    (after,) = NETWORK.unlearn(NegMerge(), FORGET)
    x, y = NETWORK.records.x[FORGET], NETWORK.records.y[FORGET]
    before = NETWORK.original().fitted.log_posteriors(x)
    assert after.log_posteriors(x)[FORGET, y].mean() < before[FORGET, y].mean()


def test_the_cost_is_that_of_all_tunings() -> None:
    (deletion,) = NETWORK.deletions(NegMerge(), [FORGET])
    assert NegMerge(epochs=2).record_passes(deletion) * 3 * 54 == 3 * 2 * 6
