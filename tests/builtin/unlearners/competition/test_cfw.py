from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.engine.gradients.case import CONVOLUTIONAL, NETWORK, batch_of, weights
from unlearnbench.builtin.unlearners.competition.cfw import CFW
from unlearnbench.core.errors import UserError
from unlearnbench.engine.gradients.unlearner import has_module


def noise(**params: float) -> np.ndarray:
    """Return what a method adds whose learning rate is 0."""
    (after,) = CONVOLUTIONAL.unlearn(CFW(learning_rate=0.0, **params), [1])  # type: ignore[arg-type]  # epochs is one
    return weights(after) - weights(CONVOLUTIONAL.original().fitted)


FIRST = slice(0, 27)
"""The kernels of the first convolution; the second is not a child of the network itself."""


def test_noise_is_on_the_convolutions_that_are_children_of_the_network() -> None:
    """Of a torchvision ResNet the first alone, as in the code; noise on all convolutions is another method."""
    added = noise(last_noise=0.0)
    assert (added[FIRST] != 0).all()
    assert not added[FIRST.stop :].any()


def test_noise_has_the_deviation() -> None:
    once, twice = noise(noise=0.5, last_noise=0.0), noise(noise=1.0, last_noise=0.0)
    np.testing.assert_allclose(twice, 2 * once, atol=1e-6)
    assert 0.6 < twice[FIRST].std() < 1.4  # of 27 draws


def test_less_noise_comes_before_the_last_of_several_epochs() -> None:
    assert noise(noise=0.0, epochs=2).any()
    assert not noise(noise=0.0, epochs=1).any()
    (stage,) = CFW().stages(CONVOLUTIONAL.original())
    assert [pass_.edit is not None for pass_ in stage.passes] == [False, False, False, True]


def test_noise_is_that_of_the_version() -> None:
    one, other = CONVOLUTIONAL.unlearn(CFW(learning_rate=0.0), [1], [1])
    assert not np.array_equal(weights(one), weights(other))


def test_class_weights_scale_the_mean_loss_of_the_batch() -> None:
    """They multiply an averaged cross-entropy; a mean of weighted cross-entropies is another loss."""
    batch = batch_of([[2.0, 0, 0], [0, 0, 1.0]], [[0.0] * 3] * 2, [0, 1], forget=range(0, 60, 4))
    y, retained = batch._tables.y.tolist(), [i for i in range(60) if i % 4]
    counts = [sum(y[i] == c for i in retained) for c in range(3)]
    class_weights = [45 / (3 * count) for count in counts]
    plain = torch.nn.functional.cross_entropy(batch.logits, batch.labels)
    expected = plain * (class_weights[0] + class_weights[1]) / 2
    assert CFW().loss(batch).mean().item() == pytest.approx(expected.item(), rel=1e-6)


def test_classes_without_retained_records_do_not_count() -> None:
    """Balanced weights are n / (C n_c) over the C classes that there are."""
    forget = np.flatnonzero(NETWORK.records.y[:60] == 2)
    batch = batch_of([[2.0, 0, 0]] * 2, [[0.0] * 3] * 2, [0, 1], forget=forget.tolist())
    assert CFW().loss(batch).mean().item() == pytest.approx(batch.cross_entropy(batch.labels).mean().item(), rel=1e-6)


def test_a_network_whose_convolutions_are_all_in_blocks_is_refused() -> None:
    (deletion,) = CONVOLUTIONAL.deletions(CFW(), [[1]])
    inner = has_module(deletion.fitted).module
    with pytest.raises(UserError, match="not defined"):
        CFW().edit(torch.nn.Sequential(inner), deletion)
