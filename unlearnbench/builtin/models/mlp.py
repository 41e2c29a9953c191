"""A multilayer perceptron, trained by a plain loop on tensors."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt

from unlearnbench.builtin.models.batches import batches
from unlearnbench.builtin.models.scaling import Scaler, Standardizer
from unlearnbench.core.errors import UserError
from unlearnbench.core.models import FitTask, SeedUse, TargetModel
from unlearnbench.core.posteriors import log_softmax
from unlearnbench.engine.sklearn_model import training_table

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, eq=False)
class FittedMLP:
    """A trained network. ``module`` maps standardized float32 rows (n, d), see ``inputs``, to logits (n, n_classes)."""

    module: torch.nn.Sequential
    standardizer: Standardizer
    device: str

    def inputs(self, x: NDArray[np.float64]) -> torch.Tensor:
        """Return records (n, ...) as ``module`` takes them, on its device; scaled in float64, then rounded."""
        import torch

        return torch.from_numpy(self.standardizer(x).astype(np.float32)).to(self.device)

    def log_posteriors(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return float64 log-posteriors (n, n_classes) of the network's float32 logits."""
        import torch

        with torch.no_grad():
            return log_softmax(self.module(self.inputs(x)).cpu().numpy())

    def with_module(self, module: torch.nn.Sequential) -> FittedMLP:
        """Return this model with another network behind the same scaler."""
        return replace(self, module=module)


def network(widths: Sequence[int], seed: int) -> torch.nn.Sequential:
    """Return linear layers between ``widths`` with ReLU in between, drawn from ``seed`` and no global state.

    Weights and biases are uniform in +-1/sqrt(fan-in), torch's own default for linear layers. Drawn on the CPU, so
    they are the same on every device.
    """
    import torch
    from torch.nn.utils import skip_init

    generator = torch.Generator().manual_seed(seed)
    layers: list[torch.nn.Module] = []
    for fan_in, fan_out in pairwise(widths):
        linear = skip_init(torch.nn.Linear, fan_in, fan_out)  # type: ignore[no-untyped-call]  # torch has no type for it
        with torch.no_grad():
            for parameter in linear.parameters():
                parameter.uniform_(-(fan_in**-0.5), fan_in**-0.5, generator=generator)
        layers += [linear, torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1])


@dataclass(frozen=True)
class MLP(TargetModel):
    """A multilayer perceptron with ReLU on standardized features, trained with cross-entropy in float32.

    ``init`` seeds the initial weights, ``order`` the batches. Each epoch sorts the places of all records by a draw
    keyed by (``order`` seed, epoch, record) and cuts them into batches:

    - ``slot``: the deleted record keeps its place and its batch is one shorter; the loss is the mean over the records
      that are there, so the others in that batch weigh a little more. A batch left empty is no optimizer step. All
      other batches stay as they were.
    - ``compact``: the record is gone and every record behind it moves one place up, in every epoch: nearly all
      batches change by a record, and the number of steps may drop by one.
    - ``fresh``, or ``init: fresh``: another training run.

    With ``batch_size`` >= n, slot and compact are the same. Records added by a request take places of their own, so
    they move others whatever the order.

    Training goes on from ``task.start`` (slices of SISA): its weights and its scaler stay, the optimizer starts anew,
    as its moments belong to the records seen before. ``init`` is then unused. Bitwise repeatable on a CPU at a fixed
    number of threads.

    Needs no second class. UserError where the weights overflow. A network may also die quietly: with Adam at 0.05,
    the paper's code's rate, accuracy on digits falls from .97 to between .21 and .68 and many records get one and the
    same posterior. And training amplifies any difference: at the default widths, a change of 1e-6 in the initial
    weights moves posteriors about as much as one deletion does (at widths 64 and 32, a third as much), so models from
    two engines or two machines are not to be compared.

    Source: Chen et al., CCS 2021, code: widths, ReLU, Adam, batches of 64, one epoch; learning rate, number of epochs
    and standardization are ours.

    ``hidden``: widths of the hidden layers

    ``epochs``: passes over the records, of each training stage

    ``batch_size``: records of a batch

    ``optimizer``: adam, or sgd without momentum, which needs a learning rate of about 0.1

    ``learning_rate``: step size

    ``weight_decay``: L2 factor, added to the gradient

    ``scaler``: whose statistics scale an unlearned model's features: the original's training set or its own records
    """

    hidden: tuple[PositiveInt, ...] = (256, 128, 64, 32)
    epochs: PositiveInt = 10
    batch_size: PositiveInt = 64
    optimizer: Literal["adam", "sgd"] = "adam"
    learning_rate: PositiveFloat = 1e-3
    weight_decay: NonNegativeFloat = 0.0
    scaler: Scaler = "original"

    seeds_used: ClassVar[frozenset[SeedUse]] = frozenset({"init", "order"})
    continues: ClassVar[bool] = True
    uses_device: ClassVar[bool] = True

    def fit(self, task: FitTask, device: str) -> FittedMLP:
        """Train one network, from scratch or from a copy of ``task.start``."""
        fitted = self._begin(task, device)
        self._train(fitted, task)
        return fitted

    def _begin(self, task: FitTask, device: str) -> FittedMLP:
        if task.start is None:
            x, _ = training_table(task.data)
            module = network((x.shape[1], *self.hidden, task.data.n_classes), task.seeds.init)
            return FittedMLP(module.to(device), Standardizer.for_training(task.data, self.scaler), device)
        if not isinstance(task.start, FittedMLP):
            raise UserError(f"an mlp can go on from an mlp only, not from {type(task.start).__name__}")
        return replace(task.start, module=copy.deepcopy(task.start.module).to(device), device=device)

    def _train(self, fitted: FittedMLP, task: FitTask) -> None:
        import torch

        module = fitted.module
        x, y = fitted.inputs(task.data.x), torch.from_numpy(task.data.y).to(fitted.device)
        optimizer = self._optimizer(module)
        for epoch in range(self.epochs):
            for batch in batches(task.data, task.seeds.order, epoch, self.batch_size):
                rows = torch.from_numpy(batch).to(fitted.device)
                optimizer.zero_grad()
                loss = torch.nn.functional.cross_entropy(module(x[rows]), y[rows])
                loss.backward()  # type: ignore[no-untyped-call]  # torch has no type for it
                optimizer.step()
        module.zero_grad()
        if not all(bool(parameter.isfinite().all()) for parameter in module.parameters()):
            raise UserError(f"the network's weights overflowed: lower learning_rate ({self.learning_rate:g})")

    def _optimizer(self, module: torch.nn.Module) -> torch.optim.Optimizer:
        import torch

        kind = torch.optim.Adam if self.optimizer == "adam" else torch.optim.SGD
        weights, rate, decay = list(module.parameters()), self.learning_rate, self.weight_decay
        try:
            return kind(weights, lr=rate, weight_decay=decay, fused=True)
        except RuntimeError:  # older torch fuses on some devices only
            return kind(weights, lr=rate, weight_decay=decay)
