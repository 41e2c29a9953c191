from __future__ import annotations

import numpy as np

from tests.engine.gradients.case import LINEAR, NETWORK, gradient, weights
from unlearnbench.builtin.unlearners.gradient.finetune import Finetune
from unlearnbench.builtin.unlearners.gradient.gradient_ascent import GradientAscent
from unlearnbench.builtin.unlearners.gradient.neggrad_plus import NegGradPlus

FORGET = range(5)


def test_with_an_alpha_of_one_it_is_fine_tuning_step_for_step() -> None:
    (plus,) = NETWORK.unlearn(NegGradPlus(alpha=1.0, epochs=3, batch_size=16), FORGET)
    (plain,) = NETWORK.unlearn(Finetune(epochs=3, batch_size=16, momentum=0.0, weight_decay=0.0), FORGET)
    np.testing.assert_allclose(weights(plus), weights(plain), atol=1e-7)


def test_with_an_alpha_of_zero_it_is_gradient_ascent() -> None:
    """An epoch of four batches of the retain set is four steps, each on the whole forget set."""
    (plus,) = NETWORK.unlearn(NegGradPlus(alpha=0.0, epochs=2, batch_size=16), FORGET)
    (ascent,) = NETWORK.unlearn(GradientAscent(epochs=8, learning_rate=0.01), FORGET)
    np.testing.assert_allclose(weights(plus), weights(ascent), atol=1e-6)


def test_one_step_is_the_gradient_of_the_formula() -> None:
    (after,) = LINEAR.unlearn(NegGradPlus(0.7, epochs=1, learning_rate=0.1, batch_size=100), FORGET)
    before = LINEAR.original().fitted
    down, up = gradient(before, LINEAR.records, range(5, 60)), gradient(before, LINEAR.records, FORGET)
    np.testing.assert_allclose(weights(after) - weights(before), -0.1 * (0.7 * down - 0.3 * up), atol=1e-6)


def test_an_anchor_pulls_back_to_the_original() -> None:
    """The second of two steps has the pull, since at the first the weights are where they were."""
    one = LINEAR.unlearn(NegGradPlus(0.7, 1, 0.1, batch_size=100), FORGET)[0]
    free, held = (LINEAR.unlearn(NegGradPlus(0.7, 2, 0.1, 100, anchor=a), FORGET)[0] for a in (0.0, 0.5))
    moved = weights(one) - weights(LINEAR.original().fitted)
    np.testing.assert_allclose(weights(held) - weights(free), -0.1 * 0.7 * 0.5 * moved, atol=1e-6)
