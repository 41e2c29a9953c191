"""Every gradient method goes with a module of one's own, and treats its batch normalization as it says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch

from tests.engine.gradients.case import Case, made_up
from unlearnbench.core.models import Fitted
from unlearnbench.engine.gradients.unlearner import GradientUnlearner, has_module
from unlearnbench.engine.networks.torch_model import TorchModel
from unlearnbench.hooks.parameters import build
from unlearnbench.hooks.registry import load_registry

METHODS = [
    each for each in load_registry(discover=False).all("unlearner") if issubclass(each.load(), GradientUnlearner)
]
every_method = pytest.mark.parametrize("method", [build(each, {}) for each in METHODS], ids=[m.name for m in METHODS])


@dataclass(frozen=True)
class Normalized(TorchModel):
    """A residual network of convolutions with batch normalization, for images of 2 x 2 pixels."""

    def network(self, shape: tuple[int, ...], n_classes: int) -> torch.nn.Module:
        from torch import nn

        class Residual(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.layer, self.norm = nn.Conv2d(3, 3, 3, padding=1), nn.BatchNorm2d(3)

            def forward(self, x: torch.Tensor) -> Any:
                return x + self.norm(self.layer(x)).relu()

        first = [nn.Unflatten(1, (1, 2, 2)), nn.Conv2d(1, 3, 1)]
        return nn.Sequential(*first, Residual(), nn.Flatten(), nn.Linear(12, n_classes))


NORMALIZED = Case(Normalized(epochs=2, batch_size=16), made_up(), validation=20)


def running(fitted: Fitted) -> list[torch.Tensor]:
    return list(has_module(fitted).module.buffers())


@every_method
def test_running_statistics_move_only_in_training_mode(method: GradientUnlearner) -> None:
    (after,) = NORMALIZED.unlearn(method, range(8))
    before = running(NORMALIZED.original().fitted)
    moved = not all(map(torch.equal, before, running(after)))
    trains = bool(method.stages(NORMALIZED.original()))
    assert moved == (trains and method.mode == "train")


@every_method
@pytest.mark.parametrize("forget", [[3], [*range(58)], [*range(59)]], ids=len)
def test_one_record_is_forgotten_or_one_is_left(method: GradientUnlearner, forget: list[int]) -> None:
    (after,) = NORMALIZED.unlearn(method, forget)
    assert np.isfinite(after.log_posteriors(NORMALIZED.records.x)).all()


@every_method
def test_a_network_answers_in_evaluation_mode(method: GradientUnlearner) -> None:
    (after,) = NORMALIZED.unlearn(method, range(8))
    assert not any(layer.training for layer in has_module(after).module.modules())


@every_method
def test_requests_do_not_depend_on_each_other(method: GradientUnlearner) -> None:
    x = NORMALIZED.records.x
    deletions = NORMALIZED.deletions(method, [[1, 2], [3], [4, 5, 6]])
    together = [each.log_posteriors(x) for each in method.unlearn_all(deletions)]
    alone = [method.unlearn(each).log_posteriors(x) for each in reversed(deletions)]
    assert all(map(np.array_equal, together, reversed(alone)))
