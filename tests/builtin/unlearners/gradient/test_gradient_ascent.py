from __future__ import annotations

import numpy as np

from tests.engine.gradients.case import LINEAR, NETWORK, gradient, weights
from unlearnbench.builtin.unlearners.gradient.gradient_ascent import GradientAscent

FORGET = range(5)


def test_one_step_climbs_the_gradient_of_the_forget_set() -> None:
    (after,) = LINEAR.unlearn(GradientAscent(epochs=1, learning_rate=0.1), FORGET)
    before = LINEAR.original().fitted
    climbed = 0.1 * gradient(before, LINEAR.records, FORGET)
    np.testing.assert_allclose(weights(after) - weights(before), climbed, atol=1e-6)


def test_the_loss_of_the_forget_set_rises_with_every_epoch() -> None:
    """The loss of softmax regression is convex, so each step uphill raises it."""
    x, y = LINEAR.records.x[FORGET], LINEAR.records.y[FORGET]
    losses = [
        -LINEAR.unlearn(GradientAscent(epochs, learning_rate=0.05), FORGET)[0].log_posteriors(x)[FORGET, y].mean()
        for epochs in range(8)
    ]
    assert (np.diff(losses) > 0).all()


def test_the_retain_set_has_no_part_in_it() -> None:
    """The network after a deletion does not depend on how many records stay."""
    one, other = NETWORK.deletions(GradientAscent(), [FORGET, FORGET])
    few = type(one)(one.fitted, other.retain.select(np.arange(60) < 20), one.forget, one.original, one.seeds)
    first, second = (weights(GradientAscent().unlearn(each)) for each in (one, few))
    assert np.array_equal(first, second)
