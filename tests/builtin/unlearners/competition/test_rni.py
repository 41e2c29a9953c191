from __future__ import annotations

import pytest
import torch

from tests.engine.gradients.case import CONVOLUTIONAL
from unlearnbench.builtin.unlearners.competition.rni import RNI
from unlearnbench.engine.gradients.unlearner import has_module

LAST, NORM = {"5.weight", "5.bias"}, {"3.1.weight", "3.1.bias"}
"""The linear layer, and batch normalization; there are six tensors without that."""


def changed(method: RNI) -> set[str]:
    (after,) = CONVOLUTIONAL.unlearn(method, [1])
    old, new = (has_module(each).module for each in (CONVOLUTIONAL.original().fitted, after))
    pairs = zip(old.named_parameters(), new.parameters(), strict=True)
    return {name for (name, one), other in pairs if not torch.equal(one, other)}


def quiet(tensors: int, epochs: int, noisy: float = 1.0) -> RNI:
    """Return the method without any step."""
    return RNI(tensors=tensors, epochs=epochs, noisy=noisy, learning_rate=0.0, fine_learning_rates=(0.0,))


def test_the_last_layer_is_drawn_anew() -> None:
    assert changed(quiet(tensors=2, epochs=0)) == LAST


def test_the_first_epoch_has_no_noise_and_later_ones_on_tensors_not_drawn_before() -> None:
    assert changed(quiet(tensors=2, epochs=1)) == LAST
    assert len(changed(quiet(tensors=5, epochs=9)) - LAST) <= 1
    assert changed(quiet(tensors=6, epochs=9)) == LAST  # all are drawn at first
    assert changed(quiet(tensors=1, epochs=60)) - NORM > LAST


def test_normalization_gets_no_noise() -> None:
    assert not changed(quiet(tensors=1, epochs=60)) & NORM


def test_only_a_share_of_an_epochs_tensors_gets_noise() -> None:
    assert changed(quiet(tensors=2, epochs=60, noisy=0.49)) == LAST


def test_an_epochs_tensors_and_normalization_alone_are_trained() -> None:
    found = [changed(RNI(tensors=1, epochs=epochs, noise=0.0, fine_learning_rates=())) - LAST for epochs in (1, 2)]
    assert len(found[0] - NORM) <= 1
    assert NORM <= found[0] <= found[1]


def test_in_the_fine_epochs_all_are_trained() -> None:
    assert len(changed(RNI(epochs=0))) == 8


def test_the_fine_epochs_have_rates_of_their_own() -> None:
    stages = RNI().stages(CONVOLUTIONAL.original())
    assert [stage.optimizer.learning_rate for stage in stages] == pytest.approx([2e-4] * 8 + [1e-3])


def test_what_is_drawn_is_that_of_the_version() -> None:
    drawn = [RNI()._drawn(6, deletion.seeds) for deletion in CONVOLUTIONAL.deletions(RNI(), [[1], [1]])]
    assert all(sorted(each) == list(range(6)) for each in drawn)
    assert drawn[0] != drawn[1]
