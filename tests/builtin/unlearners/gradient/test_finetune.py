from __future__ import annotations

import numpy as np

from tests.engine.gradients.case import LINEAR, gradient, weights
from unlearnbench.builtin.unlearners.gradient.finetune import Finetune


def test_the_first_step_is_a_step_of_plain_training_on_the_retain_set() -> None:
    method = Finetune(epochs=1, batch_size=100, learning_rate=0.1, weight_decay=0.01)
    (after,) = LINEAR.unlearn(method, range(5))
    before = LINEAR.original().fitted
    step = gradient(before, LINEAR.records, range(5, 60)) + 0.01 * weights(before)
    np.testing.assert_allclose(weights(after) - weights(before), -0.1 * step, atol=1e-6)


def test_momentum_adds_nine_tenths_of_the_step_before() -> None:
    one, two, still = (
        weights(LINEAR.unlearn(Finetune(epochs, 0.1, 100, momentum, 0.0), range(5))[0])
        for epochs, momentum in ((1, 0.9), (2, 0.9), (2, 0.0))
    )
    before = weights(LINEAR.original().fitted)
    np.testing.assert_allclose(two - still, 0.9 * (one - before), atol=1e-6)


def test_the_loss_of_the_retain_set_falls() -> None:
    (after,) = LINEAR.unlearn(Finetune(epochs=20), range(5))
    x, y = LINEAR.records.x[5:60], LINEAR.records.y[5:60]
    before = LINEAR.original().fitted.log_posteriors(x)
    assert after.log_posteriors(x)[range(55), y].mean() > before[range(55), y].mean()
