"""A small convolutional network: the reference is a plain loop on tensors, the fast path lays them out better."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt

from unlearnbench.builtin.models.simple_cnn.fitted import FittedCNN, images, pixels
from unlearnbench.builtin.models.simple_cnn.network import network
from unlearnbench.core.errors import UserError
from unlearnbench.core.models import FitTask, SeedUse, TargetModel
from unlearnbench.core.records import TrainingSet
from unlearnbench.engine.batches import epochs_of_batches
from unlearnbench.engine.networks.training import OptimizerName, Precision, TrainingLoop, step_log
from unlearnbench.engine.scaling import Scaler, Standardizer
from unlearnbench.engine.sklearn_model import training_table

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class SimpleCNN(TargetModel):
    """A small convolutional network on images of any size and number of channels, trained with cross-entropy.

    Two 3 x 3 convolutions of 32 and 64 maps, pooling by 2, a hidden layer of 128 units, the classes; ReLU in between.
    Dropout leaves out a quarter of the second convolution's maps and half of the hidden units. Each channel is
    standardized as a whole. A data set without the shape of its images, as digits, is an error.

    ``init`` seeds the initial weights, ``order`` the batches and dropout. Batches are those of the MLP: with ``slot``
    the deleted record's position stays empty, with ``compact`` later records move forward. Units are dropped by a key
    of (``order`` seed, epoch, record, unit): under both orders every other record loses the units it lost before.

    Training goes on from ``task.start``: its weights and its scaler stay, the optimizer starts again, ``init`` is
    unused. Bitwise repeatable on a CPU at a fixed number of threads. Never run on a GPU by its authors: there,
    repeatability and speed are untested.

    UserError where the weights overflow. With Adam at 0.05, the rate of the paper's code, training fails without an
    error: every record gets the same posterior.

    Source: Chen et al., CCS 2021, code: layers, dropout, Adam, batches of 64; learning rate, number of epochs,
    standardization and the keyed draws are ours.

    ``epochs``: passes over the records, of each training stage

    ``batch_size``: records of a batch

    ``optimizer``: adam, or sgd without momentum

    ``learning_rate``: step size

    ``weight_decay``: L2 factor, added to the gradient

    ``precision``: fp32, or bf16 to multiply in bfloat16 while weights and sums stay in float32: about twice as fast
    where the processor can, slower where it cannot; all answers are in float32

    ``scaler``: whose statistics scale an unlearned model's pixels: the original's training set or its own records
    """

    epochs: PositiveInt = 10
    batch_size: PositiveInt = 64
    optimizer: OptimizerName = "adam"
    learning_rate: PositiveFloat = 1e-3
    weight_decay: NonNegativeFloat = 0.0
    precision: Precision = "fp32"
    scaler: Scaler = "original"

    seeds_used: ClassVar[frozenset[SeedUse]] = frozenset({"init", "order"})
    continues: ClassVar[bool] = True
    uses_device: ClassVar[bool] = True
    has_module: ClassVar[bool] = True
    logs: ClassVar[bool] = True

    def refusal(self, shape: tuple[int, ...]) -> str | None:
        """Return why records of this shape are no images that it takes, or None where they are."""
        try:
            images(np.zeros((1, *shape)))
        except UserError as error:
            return str(error)
        return None

    def fit(self, task: FitTask, device: str) -> FittedCNN:
        """Train one network, from scratch or from a copy of ``task.start``, on tensors as torch lays them out."""
        return self._trained(task, device, fast=False)

    def has_fast_path(self, device: str) -> bool:
        """Return True: the fast path uses nothing that torch lacks on any device."""
        return True

    def fit_many(self, tasks: Sequence[FitTask], device: str) -> Sequence[FittedCNN]:
        """Train networks one at a time, with channels last in memory and a fused optimizer.

        One at a time, as one of them fills a core. Same start, batches and draws as :meth:`fit`, other roundings.
        """
        return [self._trained(task, device, fast=True) for task in tasks]

    def _trained(self, task: FitTask, device: str, fast: bool) -> FittedCNN:
        import torch

        fitted = self._begin(task, device)
        layout = torch.channels_last if fast else torch.contiguous_format
        fitted.module.to(memory_format=layout)
        self._train(fitted, task, layout, fast)
        fitted.module.to(memory_format=torch.contiguous_format)
        return fitted

    def _begin(self, task: FitTask, device: str) -> FittedCNN:
        data = task.data
        if task.start is not None:
            if not isinstance(task.start, FittedCNN):
                raise UserError(f"a simple-cnn can go on from a simple-cnn only, not from {type(task.start).__name__}")
            return FittedCNN(copy.deepcopy(task.start.module).to(device), task.start.standardizer, device)
        training_table(data)  # an error where no record is left
        _, height, width, channels = images(data.x).shape
        module = network((height, width, channels), data.n_classes, task.seeds.init)
        return FittedCNN(module.to(device), self._standardizer(data), device)

    def _standardizer(self, data: TrainingSet) -> Standardizer:
        source = data.records.x[data.original.ids] if self.scaler == "original" else data.x
        return Standardizer.of(pixels(source))

    def _train(self, fitted: FittedCNN, task: FitTask, layout: torch.memory_format, fused: bool) -> None:
        import torch

        data, seed, ids = task.data, task.seeds.order, task.data.kept_ids
        x, y = fitted.inputs(data.x).contiguous(memory_format=layout), torch.from_numpy(data.y).to(fitted.device)

        def forward(x: torch.Tensor, epoch: int, batch: NDArray[np.int64]) -> torch.Tensor:
            return fitted.training_logits(fitted.module, x, ids[batch], seed, epoch)

        loop = TrainingLoop(self.optimizer, self.learning_rate, self.weight_decay, self.precision, fused)
        steps = epochs_of_batches(data, seed, self.epochs, self.batch_size)
        loop.train(fitted.module, x, y, steps, forward, step_log(task, fitted.module))
