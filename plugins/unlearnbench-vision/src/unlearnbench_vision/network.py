"""What the networks share: parameters, seeds, training."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

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
    """A network trained with cross-entropy; ``network`` and a name of its kind are all that one must add."""

    epochs: Annotated[PositiveInt, "passes over the records, of each training stage"] = 10
    batch_size: Annotated[PositiveInt, "records of a batch"] = 64
    optimizer: Annotated[OptimizerName, "adam, or sgd without momentum"] = "adam"
    learning_rate: Annotated[PositiveFloat, "step size"] = 1e-3
    weight_decay: Annotated[NonNegativeFloat, "L2 factor, added to the gradient"] = 0.0
    precision: Annotated[Precision, "fp32, or bf16 to multiply in bfloat16: weights and answers stay float32"] = "fp32"

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
