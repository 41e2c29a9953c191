"""Target models that are torch modules: an author writes only the network."""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt

from unlearnbench.core.errors import UserError
from unlearnbench.core.models import FitTask, Fitted, SeedUse, TargetModel
from unlearnbench.core.posteriors import log_softmax
from unlearnbench.core.records import TrainingSet
from unlearnbench.engine.batches import epochs_of_batches
from unlearnbench.engine.networks.modules import children_with_state
from unlearnbench.engine.networks.training import (
    OptimizerName,
    Precision,
    TrainingLoop,
    begin_training,
    step_log,
)
from unlearnbench.engine.scaling import Standardizer
from unlearnbench.engine.sklearn_model import as_table, training_table

if TYPE_CHECKING:
    import torch

POSITIONS = 2**16
"""Positions (pixels; 1 for a row of features) that go through a network at once when it answers: bounds its memory."""


@dataclass(frozen=True)
class TorchModel(TargetModel):
    """A target model that is a torch module, trained with cross-entropy. Authors must write only ``network``.

    Records are standardized along their last axis, by the original's training set. ``init`` seeds the weights,
    ``order`` the batches: a record that is deleted in place (``slot``) leaves its batch one shorter, and all other
    batches stay as they were. The module is trained in training mode, but for a batch of one record, and answers in
    evaluation mode. It must not contain ``torch.nn.Dropout``, which draws from a global generator: override
    ``training_logits`` instead.

    ``epochs``: passes over the records, of each training stage

    ``batch_size``: records of a batch

    ``optimizer``: adam, or sgd without momentum

    ``learning_rate``: step size

    ``weight_decay``: L2 factor, added to the gradient

    ``precision``: fp32, or bf16 to multiply in bfloat16; weights and posteriors stay float32
    """

    epochs: PositiveInt = 10
    batch_size: PositiveInt = 64
    optimizer: OptimizerName = "adam"
    learning_rate: PositiveFloat = 1e-3
    weight_decay: NonNegativeFloat = 0.0
    precision: Precision = "fp32"

    seeds_used: ClassVar[frozenset[SeedUse]] = frozenset({"init", "order"})
    continues: ClassVar[bool] = True
    uses_device: ClassVar[bool] = True
    has_module: ClassVar[bool] = True
    logs: ClassVar[bool] = True

    @abstractmethod
    def network(self, shape: tuple[int, ...], n_classes: int) -> torch.nn.Module:
        """Return an untrained network that maps ``tensor`` of n records to logits (n, n_classes).

        ``shape`` is that of one record, as ``features`` returns it. Weights are drawn from torch's own generator, which
        is seeded for this call.
        """

    def refusal(self, shape: tuple[int, ...]) -> str | None:
        """Return why ``features`` does not take records of this shape, or None where it does."""
        try:
            self.features(np.zeros((1, *shape)))
        except UserError as error:
            return str(error)
        return None

    def features(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return records (n, ...) with the axis to standardize last; by default rows of features (n, d).

        Image models return (n, height, width, channels), and raise UserError where records are not images.
        """
        return as_table(x)

    def tensor(self, scaled: torch.Tensor) -> torch.Tensor:
        """Return standardized features, float32, as the network takes them; by default as they are."""
        return scaled

    def training_logits(
        self,
        module: torch.nn.Module,
        inputs: torch.Tensor,
        ids: NDArray[np.int64],  # noqa: ARG002 - for networks with dropout
        seed: int,  # noqa: ARG002 - as above
        epoch: int,  # noqa: ARG002 - as above
    ) -> torch.Tensor:
        """Return the logits to train on; override it for dropout. See :class:`HasModule`."""
        logits: torch.Tensor = module(inputs)
        return logits

    def blocks(self, module: torch.nn.Module) -> list[torch.nn.Module]:
        """Return the parts of the network from input to output; by default its children that have parameters."""
        return children_with_state(module)

    def fit(self, task: FitTask, device: str) -> FittedTorch:
        """Train one network, from scratch or from a copy of ``task.start``."""
        import torch

        data, seed, ids = task.data, task.seeds.order, task.data.kept_ids
        fitted = self._continued(task.start, device) if task.start else self.untrained(data, task.seeds.init, device)

        def forward(x: torch.Tensor, epoch: int, batch: NDArray[np.int64]) -> torch.Tensor:
            return self.training_logits(begin_training(fitted.module, len(batch)), x, ids[batch], seed, epoch)

        loop = TrainingLoop(self.optimizer, self.learning_rate, self.weight_decay, self.precision, fused=True)
        steps = epochs_of_batches(data, seed, self.epochs, self.batch_size)
        labels = torch.from_numpy(data.y).to(device)
        loop.train(fitted.module, fitted.inputs(data.x), labels, steps, forward, step_log(task, fitted.module))
        fitted.module.eval()
        return fitted

    def untrained(self, data: TrainingSet, seed: int, device: str) -> FittedTorch:
        """Return an untrained network for these records; UserError where there is none to learn from."""
        training_table(data)
        features = self.features(data.original.x)
        module = seeded(lambda: self.network(features.shape[1:], data.n_classes), seed)
        return FittedTorch(self, module.to(device), Standardizer.of(_rows(features)), device)

    def _continued(self, start: Fitted, device: str) -> FittedTorch:
        name = type(self).__name__.lower()
        if not isinstance(start, FittedTorch) or type(start.model) is not type(self):
            other = type(start.model).__name__.lower() if isinstance(start, FittedTorch) else type(start).__name__
            raise UserError(f"a {name} can go on from a {name} only, not from {other}")
        return replace(start, model=self, module=copy.deepcopy(start.module).to(device), device=device)


@dataclass(frozen=True, eq=False)
class FittedTorch:
    """A trained network; a :class:`HasModule`."""

    model: TorchModel
    """The target model that trained it."""
    module: torch.nn.Module
    """Maps ``inputs`` to logits (n, n_classes)."""
    standardizer: Standardizer
    """What scales the last axis of the features."""
    device: str
    """Where ``module`` is."""

    @property
    def trains_as_it_answers(self) -> bool:
        """Whether the target model has no dropout of its own."""
        return type(self.model).training_logits is TorchModel.training_logits

    def inputs(self, x: NDArray[np.float64]) -> torch.Tensor:
        """Return records (n, ...) as ``module`` takes them, on its device; scaled in float64, then rounded."""
        import torch

        features = self.model.features(x)
        scaled = self.standardizer(_rows(features)).reshape(features.shape).astype(np.float32)
        return self.model.tensor(torch.from_numpy(scaled).to(self.device))

    def log_posteriors(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return float64 log-posteriors (n, n_classes) of the network's float32 logits."""
        import torch

        inputs = self.inputs(x)
        block = max(1, POSITIONS // prod(inputs.shape[2:]))
        with torch.no_grad():
            logits = [self.module(part) for part in torch.split(inputs, block)]  # of no record, one empty part
            return log_softmax(torch.cat(logits).cpu().numpy())

    def training_logits(
        self, module: torch.nn.Module, inputs: torch.Tensor, ids: NDArray[np.int64], seed: int, epoch: int
    ) -> torch.Tensor:
        """Return the logits that the model was trained on."""
        return self.model.training_logits(module, inputs, ids, seed, epoch)

    def blocks(self, module: torch.nn.Module) -> list[torch.nn.Module]:
        """Return the parts of a network of this structure from input to output."""
        return self.model.blocks(module)

    def with_module(self, module: torch.nn.Module) -> FittedTorch:
        """Return a model of another network behind the same scaler."""
        return replace(self, module=module)


def seeded(build: Callable[[], torch.nn.Module], seed: int) -> torch.nn.Module:
    """Return what ``build`` makes with draws of torch's generator from ``seed``; its state is restored afterwards."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would change the generators of GPUs too
        return build()


def _rows(features: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return features (n, ..., c) as rows (n * ..., c): what the scale of the last axis is taken from."""
    return features.reshape(-1, features.shape[-1])
