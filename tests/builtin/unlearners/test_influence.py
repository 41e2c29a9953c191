from __future__ import annotations

import numpy as np

from tests.engine.gradients.case import LINEAR, NETWORK, gradient, weights
from unlearnbench.builtin.unlearners.influence import Influence

FORGET = range(12)


def test_it_is_one_step_along_the_difference_of_the_gradients() -> None:
    (after,) = LINEAR.unlearn(Influence(alpha=3.0), FORGET)
    before = LINEAR.original().fitted
    forget, retain = gradient(before, LINEAR.records, FORGET), gradient(before, LINEAR.records, range(12, 60))
    np.testing.assert_allclose(weights(after) - weights(before), 3.0 * 12 / 60 * (forget - retain), atol=1e-6)


def test_the_loss_rises_on_the_forget_set_and_falls_on_the_retain_set() -> None:
    (after,) = NETWORK.unlearn(Influence(alpha=0.5), FORGET)
    x, y = NETWORK.records.x, NETWORK.records.y
    rise = (NETWORK.original().fitted.log_posteriors(x) - after.log_posteriors(x))[range(90), y]
    assert rise[:12].mean() > 0 > rise[12:60].mean()


def test_a_step_of_no_length_is_no_step() -> None:
    (deletion,) = NETWORK.deletions(Influence(), [FORGET])
    assert Influence(alpha=0.0).unlearn(deletion) is deletion.fitted
