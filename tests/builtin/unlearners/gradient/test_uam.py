from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.gradients.case import LINEAR, NETWORK, gradient, weights
from unlearnbench.builtin.unlearners.gradient.finetune import Finetune
from unlearnbench.builtin.unlearners.gradient.uam import UAM, of_length
from unlearnbench.engine.gradients.passes import Optimizer, Pass, Stage, Term
from unlearnbench.engine.gradients.unlearner import GradientUnlearner

FORGET = range(5)


class Climb(GradientUnlearner):
    """One step uphill on the forget set, of a given length."""

    def __init__(self, rate: float) -> None:
        self.rate = rate

    def stages(self, original: object) -> list[Stage]:
        return [Stage(Optimizer(self.rate), [Pass([Term("forget", weight=-1.0)])])]


def test_a_step_is_the_gradient_of_the_retain_set_where_the_forget_set_is_worst_nearby() -> None:
    method = UAM(rho=0.3, epochs=1, learning_rate=0.1, batch_size=100, momentum=0.0, weight_decay=0.0)
    (after,) = LINEAR.unlearn(method, FORGET)
    before = LINEAR.original().fitted
    up = gradient(before, LINEAR.records, FORGET)
    (there,) = LINEAR.unlearn(Climb(0.3 / float(np.linalg.norm(up))), FORGET)
    down = gradient(there, LINEAR.records, range(5, 60))
    np.testing.assert_allclose(weights(after) - weights(before), -0.1 * down, atol=1e-6)
    here = gradient(before, LINEAR.records, range(5, 60))
    assert np.abs(down - here).max() > 1e-3  # it is neither the gradient at the weights ...
    assert np.abs(weights(after) - weights(there) + 0.1 * down).max() > 1e-3  # ... nor a step from where that is


def test_without_rho_or_without_anything_to_forget_it_is_fine_tuning() -> None:
    (tuned,) = NETWORK.unlearn(
        Finetune(epochs=2, batch_size=16, momentum=0.9, weight_decay=5e-4, learning_rate=0.01), FORGET
    )
    (still,) = NETWORK.unlearn(UAM(rho=0.0, epochs=2, batch_size=16), FORGET)
    np.testing.assert_allclose(weights(still), weights(tuned), atol=1e-6)
    (none,) = NETWORK.unlearn(UAM(epochs=2, batch_size=16), [])
    (plain,) = NETWORK.unlearn(
        Finetune(epochs=2, batch_size=16, momentum=0.9, weight_decay=5e-4, learning_rate=0.01), []
    )
    np.testing.assert_allclose(weights(none), weights(plain), atol=1e-6)


@given(values=st.lists(st.floats(-5, 5, width=16), min_size=1, max_size=6), length=st.floats(0, 3))
def test_a_gradient_is_given_its_length_as_a_whole_and_none_stays_none(values: list[float], length: float) -> None:
    parts = of_length([torch.tensor(values), torch.tensor(values[:1])], length)
    whole = torch.tensor([*values, values[0]])
    expected = whole / whole.norm() * length if whole.norm() > 0 else whole
    torch.testing.assert_close(torch.cat(parts), expected, atol=1e-4, rtol=1e-4)
