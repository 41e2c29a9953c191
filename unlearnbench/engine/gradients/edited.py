"""A network with other weights, whose module is made when it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from unlearnbench.engine.gradients.perceptron import with_weights
from unlearnbench.engine.gradients.sums import by_parameter
from unlearnbench.engine.networks.modules import HasModule, trains_as_it_answers

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, eq=False)
class Edited(HasModule):
    """A model with other weights than the one it comes from, which has the same inputs and the same structure.

    Many are made at once, of one table of weights; a module takes as long to make as its weights take to compute.
    """

    before: HasModule
    """The model it comes from."""
    weights: torch.Tensor
    """The numbers (P,) of all parameters, one behind the other."""

    @cached_property
    def _after(self) -> HasModule:
        """The model, made once."""
        module = self.before.module
        return self.before.with_module(with_weights(module, by_parameter(module, self.weights)).eval())

    @property
    def module(self) -> torch.nn.Module:
        """The network."""
        return self._after.module

    @property
    def device(self) -> str:
        """Where ``module`` is."""
        return self.before.device

    @property
    def trains_as_it_answers(self) -> bool:
        """Whether training is without dropout."""
        return trains_as_it_answers(self.before)

    def inputs(self, x: NDArray[np.float64]) -> torch.Tensor:
        """Return records (n, ...) as ``module`` takes them."""
        return self.before.inputs(x)

    def log_posteriors(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the log-posteriors (n, C)."""
        return self._after.log_posteriors(x)

    def training_logits(
        self, module: torch.nn.Module, inputs: torch.Tensor, ids: NDArray[np.int64], seed: int, epoch: int
    ) -> torch.Tensor:
        """Return the logits that the model it comes from was trained on, of ``module``."""
        return self.before.training_logits(module, inputs, ids, seed, epoch)

    def blocks(self, module: torch.nn.Module) -> list[torch.nn.Module]:
        """Return the parts of ``module``."""
        return self.before.blocks(module)

    def with_module(self, module: torch.nn.Module) -> HasModule:
        """Return a model of another network."""
        return self.before.with_module(module)
