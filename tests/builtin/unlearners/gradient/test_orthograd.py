from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.gradients.case import LINEAR, NETWORK, gradient, weights
from unlearnbench.builtin.unlearners.gradient.finetune import Finetune
from unlearnbench.builtin.unlearners.gradient.orthograd import OrthoGrad, orthogonal

FORGET = range(5)


@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(1, 6), columns=st.integers(7, 20))
def test_what_is_left_is_orthogonal_to_every_row_and_is_the_nearest_such(seed: int, rows: int, columns: int) -> None:
    """Compared with the projection by least squares, in float64."""
    rng = np.random.default_rng(seed)
    others, up = rng.normal(size=(rows, columns)), rng.normal(size=columns)
    found = orthogonal(torch.tensor(up), torch.tensor(others)).numpy()
    np.testing.assert_allclose(others @ found, 0, atol=1e-9)
    fit, *_ = np.linalg.lstsq(others.T, up, rcond=None)
    np.testing.assert_allclose(found, up - others.T @ fit, atol=1e-8)


def test_equal_rows_and_rows_of_zeros_take_no_more_than_their_own_direction() -> None:
    """A QR decomposition would take a direction for each."""
    up = torch.tensor([3.0, 4.0, 5.0])
    row = torch.tensor([1.0, 0.0, 0.0])
    assert torch.equal(orthogonal(up, torch.stack([row, row, 0 * row])), torch.tensor([0.0, 4.0, 5.0]))
    assert torch.equal(orthogonal(up, torch.zeros(2, 3)), up)


def test_of_one_row_the_mean_is_that_row_and_of_two_it_is_not() -> None:
    """To be orthogonal to the mean gradient is another, weaker rule."""
    up, rows = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    assert torch.equal(orthogonal(up, rows), torch.tensor([0.0, 0.0, 3.0]))
    assert not torch.allclose(orthogonal(up, rows.mean(dim=0, keepdim=True)), torch.tensor([0.0, 0.0, 3.0]))


def test_a_step_changes_no_loss_of_the_retain_batch_to_first_order() -> None:
    method = OrthoGrad(alpha=0.0, share=0.06, batch_size=3, epochs=1, learning_rate=0.1)
    (deletion,) = LINEAR.deletions(method, [FORGET])
    job = method._jobs([deletion])[0]
    kept = job.ids(job.stages[0].passes[0].terms[0]).tolist()
    assert len(kept) == 3
    before = LINEAR.original().fitted
    moved = weights(method.unlearn(deletion)) - weights(before)
    assert np.abs(moved).max() > 1e-3
    assert moved @ gradient(before, LINEAR.records, FORGET) > 0
    for i in kept:
        slope = gradient(before, LINEAR.records, [i])
        assert abs(moved @ slope) < 1e-6 * np.linalg.norm(slope)


def test_with_an_alpha_of_one_or_with_nothing_to_forget_it_is_fine_tuning() -> None:
    plain = Finetune(epochs=2, batch_size=16, momentum=0.0, weight_decay=0.0)
    whole = OrthoGrad(alpha=1.0, share=1.0, epochs=2, learning_rate=plain.learning_rate)
    for count in (5, 0):
        (mine,), (its,) = NETWORK.unlearn(whole, range(count)), NETWORK.unlearn(plain, range(count))
        np.testing.assert_allclose(weights(mine), weights(its), atol=1e-6)
