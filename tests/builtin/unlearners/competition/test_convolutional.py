"""What is about convolutions has no meaning for a network without, and says so."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch

from tests.engine.gradients.case import Case, made_up
from unlearnbench.builtin.models.mlp.model import MLP
from unlearnbench.builtin.models.simple_cnn.model import SimpleCNN
from unlearnbench.builtin.unlearners.competition.convolutional import Convolutional
from unlearnbench.core.errors import UserError
from unlearnbench.engine.networks.torch_model import TorchModel
from unlearnbench.hooks.parameters import build
from unlearnbench.hooks.registry import load_registry

METHODS = {
    each.name: build(each, {})
    for each in load_registry(discover=False).all("unlearner")
    if issubclass(each.load(), Convolutional)
}
every_method = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)


def test_these_are_about_convolutions() -> None:
    assert METHODS.keys() == {"msg", "cfw", "ct", "kde", "rni"}


@every_method
def test_a_perceptron_is_refused_before_anything_runs(method: Convolutional) -> None:
    assert method.refusal(MLP()) == "not defined: the method changes convolutions, and MLP has none"
    assert method.refusal(SimpleCNN()) is None


@dataclass(frozen=True)
class Linear(TorchModel):
    """A user's network, which says nothing of its layers."""

    def network(self, shape: tuple[int, ...], n_classes: int) -> torch.nn.Module:
        return torch.nn.Sequential(torch.nn.Linear(shape[0], n_classes))


@every_method
def test_a_network_without_convolutions_is_refused_when_it_is_seen(method: Convolutional) -> None:
    assert method.refusal(Linear()) is None
    with pytest.raises(UserError, match="not defined: the method changes convolutions, and this network has none"):
        Case(Linear(epochs=1), made_up()).unlearn(method, [1])
