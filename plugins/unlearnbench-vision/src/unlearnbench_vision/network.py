"""What the networks share: parameters, seeds, training."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt
from unlearnbench import FitTask, TargetModel
from unlearnbench.engine.batches import epochs_of_batches
from unlearnbench.engine.networks.training import OptimizerName, Precision, TrainingLoop

from unlearnbench_vision.begin import anew, onward
from unlearnbench_vision.fitted import FittedNetwork

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Network(TargetModel):
    """A network trained with cross-entropy. Subclasses add ``network`` and ``kind``.

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

    kind: ClassVar[str]
    seeds_used: ClassVar = frozenset({"init", "order"})
    continues: ClassVar = True
    uses_device: ClassVar = True

    @abstractmethod
    def network(self, n_classes: int, small: bool) -> torch.nn.Module:
        """Return an untrained network, drawn from torch's own generator; ``small``: with a stem for small images."""

    def fit(self, task: FitTask, device: str) -> FittedNetwork:
        """Train one network, from scratch or from a copy of ``task.start``."""
        import torch

        data, seeds = task.data, task.seeds
        fitted = (
            onward(self.kind, task.start, device)
            if task.start
            else anew(self.kind, self.network, data, seeds.init, device)
        )
        steps = epochs_of_batches(data, seeds.order, self.epochs, self.batch_size)
        loop = TrainingLoop(self.optimizer, self.learning_rate, self.weight_decay, self.precision, fused=True)
        y = torch.from_numpy(data.y).to(device)
        loop.train(fitted.module.train(), fitted.inputs(data.x), y, steps)
        fitted.module.eval()
        return fitted
