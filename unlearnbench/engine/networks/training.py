"""What the training of networks in torch shares: the loop over batches, the optimizer, the precision, the check."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.errors import UserError

if TYPE_CHECKING:
    import torch

OptimizerName = Literal["adam", "sgd"]
Precision = Literal["fp32", "bf16"]
Rows = NDArray[np.int64]
Forward = Callable[["torch.Tensor", int, Rows], "torch.Tensor"]
"""What gives the logits (b, classes) of a batch's inputs (b, ...), told the epoch and the batch's rows (b,)."""


@dataclass(frozen=True)
class Descent:
    """Descent on the mean cross-entropy of batches.

    ``optimizer``: adam, or sgd without momentum · ``learning_rate``: step size · ``weight_decay``: L2 factor, added to
    the gradient · ``precision``: fp32, or bf16 to multiply in bfloat16 while weights and sums stay in float32 ·
    ``fused``: whether all weights are updated in one pass, where torch can; its roundings are others.
    """

    optimizer: OptimizerName
    learning_rate: float
    weight_decay: float
    precision: Precision
    fused: bool

    def train(
        self,
        module: torch.nn.Module,
        x: torch.Tensor,
        y: torch.Tensor,
        steps: Iterable[tuple[int, Rows]],
        forward: Forward | None = None,
    ) -> None:
        """Train ``module`` in place and leave it without gradients; UserError where it overflows.

        ``x`` (n, ...), float32, and ``y`` (n,), int64, are on the module's device · ``steps``: the epoch and the rows
        of ``x`` of each batch · ``forward``: the module itself, if None. It runs in the chosen precision, the loss in
        float32.
        """
        import torch

        optimizer = self._optimizer(module)
        for epoch, batch in steps:
            rows = torch.from_numpy(batch).to(x.device)
            optimizer.zero_grad()
            with torch.autocast(x.device.type, torch.bfloat16, enabled=self.precision == "bf16"):
                logits = forward(x[rows], epoch, batch) if forward else module(x[rows])
            torch.nn.functional.cross_entropy(logits.float(), y[rows]).backward()  # type: ignore[no-untyped-call]  # torch has no type for it
            optimizer.step()
        module.zero_grad()
        self._check(module)

    def _optimizer(self, module: torch.nn.Module) -> torch.optim.Optimizer:
        import torch

        kind = torch.optim.Adam if self.optimizer == "adam" else torch.optim.SGD
        how = {"lr": self.learning_rate, "weight_decay": self.weight_decay}
        try:
            return kind(list(module.parameters()), **how, fused=self.fused)  # type: ignore[arg-type]  # a dict of one type
        except RuntimeError:  # older torch fuses on some devices only
            return kind(list(module.parameters()), **how)  # type: ignore[arg-type]  # as above

    def _check(self, module: torch.nn.Module) -> None:
        if not all(bool(values.isfinite().all()) for values in module.state_dict().values()):
            raise UserError(f"the network's weights overflowed: lower learning_rate ({self.learning_rate:g})")
