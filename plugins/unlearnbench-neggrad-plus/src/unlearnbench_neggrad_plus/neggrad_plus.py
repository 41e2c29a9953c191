"""NegGrad+: descend on what stays, climb on what goes (Kurmanji et al., NeurIPS 2023, arXiv 2302.09880)."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from pydantic import Field, PositiveFloat, PositiveInt
from unlearnbench import Deletion, Fitted, FunctionUnlearner, TargetModel, TrainingSet, UserError


@dataclass(frozen=True)
class NegGradPlus(FunctionUnlearner):
    """Minimize ``alpha`` CE(retain batch) - (1 - ``alpha``) CE(forget set) by SGD with momentum 0.9.

    CE is the mean cross-entropy in nats. An epoch goes once over the retain set, in a random order; every step sees the
    whole forget set. The second term has no bound: a small ``alpha`` or many steps ruin the model, so
    look at its accuracy beside the leak. ``alpha`` = 1 is fine-tuning. Goes with ``mlp``. Source: Kurmanji et al. 2023,
    section 3; 0.95 and a step size of 0.01 are values in use for CIFAR-10.
    """

    alpha: Annotated[float, Field(ge=0, le=1)] = 0.95
    learning_rate: PositiveFloat = 0.01
    epochs: PositiveInt = 5
    batch_size: PositiveInt = 256

    def refusal(self, model: TargetModel) -> str | None:
        """Refuse what is not unlearnbench's multilayer perceptron."""
        from unlearnbench.builtin.models.mlp.model import MLP

        return None if isinstance(model, MLP) else f"neggrad-plus goes with mlp only, not with {type(model).__name__}"

    def unlearn(self, deletion: Deletion) -> Fitted:
        """Return the model behind the same scaler with a network that was trained on."""
        import torch

        network: Any = deletion.fitted  # an mlp has module, inputs(x) and with_module(module)
        module = copy.deepcopy(network.module)
        optimizer = torch.optim.SGD(module.parameters(), lr=self.learning_rate, momentum=0.9)
        rng, retain = deletion.seeds.rng(), deletion.retain
        for _ in range(self.epochs):
            order = rng.permutation(len(retain))
            for rows in np.split(order, range(self.batch_size, len(order), self.batch_size)):
                loss = self.alpha * self.loss(network, module, retain, rows)
                loss -= (1 - self.alpha) * self.loss(network, module, deletion.forget, slice(None))
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        if not all(bool(weight.isfinite().all()) for weight in module.parameters()):
            raise UserError(f"neggrad-plus: the weights overflowed: lower learning_rate ({self.learning_rate:g})")
        return network.with_module(module)

    def loss(self, network: Any, module: Any, data: TrainingSet, rows: Any) -> Any:
        """Return the mean cross-entropy of the chosen rows."""
        import torch

        x = network.inputs(data.x[rows])
        return torch.nn.functional.cross_entropy(module(x), torch.from_numpy(data.y[rows]).to(x.device))
