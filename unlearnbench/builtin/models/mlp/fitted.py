"""Trained multilayer perceptrons: as a torch module or as the kernel trained them, private or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.posteriors import log_softmax
from unlearnbench.engine.banks import Member
from unlearnbench.engine.mlp.bank import MLPBank
from unlearnbench.engine.mlp.layout import Layers, initial_layers, unpack
from unlearnbench.engine.networks.modules import children_with_state
from unlearnbench.engine.networks.training import unit_scales
from unlearnbench.engine.privacy import Budget
from unlearnbench.engine.scaling import Standardizer

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, eq=False)
class FittedMLP:
    """A trained network; a :class:`unlearnbench.HasModule`."""

    module: torch.nn.Module
    """Maps standardized float32 rows (n, d), see ``inputs``, to logits (n, n_classes)."""
    standardizer: Standardizer
    """What scales the features."""
    device: str
    """Where ``module`` is."""
    dropout: float
    """The share of hidden units that training leaves out."""

    @property
    def trains_as_it_answers(self) -> bool:
        """Whether there is no dropout."""
        return not self.dropout

    def inputs(self, x: NDArray[np.float64]) -> torch.Tensor:
        """Return records (n, ...) as ``module`` takes them, on its device; scaled in float64, then rounded."""
        import torch

        return torch.from_numpy(self.standardizer(x).astype(np.float32)).to(self.device)

    def log_posteriors(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return float64 log-posteriors (n, n_classes) of the network's float32 logits."""
        import torch

        with torch.no_grad():
            return log_softmax(self.module(self.inputs(x)).cpu().numpy())

    def training_logits(
        self, module: torch.nn.Module, inputs: torch.Tensor, ids: NDArray[np.int64], seed: int, epoch: int
    ) -> torch.Tensor:
        """Return the logits that the network was trained on: under dropout, if it was the option of training."""
        import torch

        if not self.dropout:
            logits: torch.Tensor = module(inputs)
            return logits
        widths = [len(bias) for bias in list(module.parameters())[1::2]]  # weights and biases take turns
        scales = unit_scales(seed, epoch, ids, np.full(sum(widths[:-1]), self.dropout))
        return logits_under_dropout(module, inputs, torch.from_numpy(scales).to(self.device))

    def blocks(self, module: torch.nn.Module) -> list[torch.nn.Module]:
        """Return the linear layers."""
        return children_with_state(module)

    def with_module(self, module: torch.nn.Module) -> FittedMLP:
        """Return a model of another network behind the same scaler; it has no privacy budget."""
        return FittedMLP(module, self.standardizer, self.device, self.dropout)


@dataclass(frozen=True, eq=False)
class PrivateMLP(FittedMLP):
    """A network trained by DP-SGD."""

    budget: Budget

    @property
    def epsilon(self) -> float:
        """The privacy loss at the delta of the training option; needs Opacus."""
        return self.budget.epsilon


@dataclass(frozen=True, eq=False)
class FastMLP(Member):
    """A network that the kernel trained. Its torch counterpart is made on demand and agrees to 1e-6."""

    bank: MLPBank
    trains_as_it_answers: ClassVar[bool] = True

    @property
    def layers(self) -> Layers:
        """Weights (out, in) and biases (out,) of each linear layer; copies."""
        return unpack(*self.bank.networks[self.index])

    @property
    def standardizer(self) -> Standardizer:
        """What scales the features."""
        standardizer = self.bank.standardizers[self.index]
        assert isinstance(standardizer, Standardizer)  # noqa: S101 - for the type checker; the bank's are all of this class
        return standardizer

    @cached_property
    def as_torch(self) -> FittedMLP:
        """The same network as torch has it, on the CPU."""
        return FittedMLP(module_of(self.layers), self.standardizer, "cpu", dropout=0.0)

    @property
    def module(self) -> torch.nn.Module:
        """The network as a module, as in :class:`FittedMLP`; changing it does not change this model."""
        return self.as_torch.module

    @property
    def device(self) -> str:
        """Where ``module`` is."""
        return self.as_torch.device

    def inputs(self, x: NDArray[np.float64]) -> torch.Tensor:
        """Return records (n, ...) as ``module`` takes them."""
        return self.as_torch.inputs(x)

    def training_logits(
        self, module: torch.nn.Module, inputs: torch.Tensor, ids: NDArray[np.int64], seed: int, epoch: int
    ) -> torch.Tensor:
        """Return the logits that the network was trained on; the kernel knows no dropout."""
        return self.as_torch.training_logits(module, inputs, ids, seed, epoch)

    def blocks(self, module: torch.nn.Module) -> list[torch.nn.Module]:
        """Return the linear layers."""
        return self.as_torch.blocks(module)

    def with_module(self, module: torch.nn.Module) -> FittedMLP:
        """Return a torch model with this network behind the same scaler."""
        return self.as_torch.with_module(module)


@dataclass(frozen=True, eq=False)
class PrivateFastMLP(FastMLP):
    """A network that the kernel trained by DP-SGD."""

    budget: Budget

    @property
    def epsilon(self) -> float:
        """The privacy loss at the delta of the training option; needs Opacus."""
        return self.budget.epsilon


def network(widths: Sequence[int], seed: int) -> torch.nn.Sequential:
    """Return linear layers between ``widths`` with ReLU in between, as :func:`initial_layers` draws them."""
    return module_of(initial_layers(widths, seed))


def module_of(layers: Layers) -> torch.nn.Sequential:
    """Return linear layers of these weights with ReLU in between, on the CPU."""
    import torch
    from torch.nn.utils import skip_init

    modules: list[torch.nn.Module] = []
    for weight, bias in layers:
        fan_out, fan_in = weight.shape
        linear = skip_init(torch.nn.Linear, fan_in, fan_out)  # type: ignore[no-untyped-call]  # torch has no type for it
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(weight))
            linear.bias.copy_(torch.from_numpy(bias))
        modules += [linear, torch.nn.ReLU()]
    return torch.nn.Sequential(*modules[:-1])


def logits_under_dropout(module: torch.nn.Module, x: torch.Tensor, scales: torch.Tensor) -> torch.Tensor:
    """Return logits (n, classes); ``scales`` (n, hidden units of all layers) are the factors of dropout."""
    import torch

    first = 0
    for layer in module.children():
        x = layer(x)
        if isinstance(layer, torch.nn.ReLU):
            x = x * scales[:, first : first + x.shape[1]]
            first += x.shape[1]
    return x


def layers_of(module: torch.nn.Module) -> Layers | None:
    """Return the layers of a module that :func:`module_of` made, or None for a module of another structure."""
    import torch

    parts = list(module.children())
    linear = [each for each in parts if isinstance(each, torch.nn.Linear)]
    structure = ([torch.nn.Linear, torch.nn.ReLU] * len(linear))[:-1]
    if type(module) is not torch.nn.Sequential or [type(each) for each in parts] != structure:
        return None
    pairs = [(each.weight.detach().cpu().numpy(), each.bias.detach().cpu().numpy()) for each in linear]
    return [(weight.astype(np.float32), bias.astype(np.float32)) for weight, bias in pairs]
