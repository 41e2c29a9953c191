"""Training one torch module: the loop over batches, the optimizer, precision, overflow, dropout."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.errors import UserError
from unlearnbench.core.models import FitTask
from unlearnbench.core.seeding import keyed_uniforms
from unlearnbench.engine.devices import repeatable

if TYPE_CHECKING:
    import torch

OptimizerName = Literal["adam", "sgd"]
Precision = Literal["fp32", "bf16"]
Rows = NDArray[np.int64]
Forward = Callable[["torch.Tensor", int, Rows], "torch.Tensor"]
"""Returns the logits (b, classes) of a batch from its inputs (b, ...), the epoch and the batch's rows (b,) of ``x``."""


@dataclass(frozen=True)
class TrainingLoop:
    """Minimizes the mean cross-entropy of batches, one optimizer step a batch."""

    optimizer: OptimizerName
    """``adam``, or ``sgd`` without momentum."""
    learning_rate: float
    """The step size."""
    weight_decay: float
    """The L2 factor, added to the gradient."""
    precision: Precision
    """``fp32``, or ``bf16`` to multiply in bfloat16 while weights and sums stay in float32."""
    fused: bool
    """Whether all weights are updated in one pass, where torch can. The roundings differ from those of ``False``."""

    @repeatable()
    def train(
        self,
        module: torch.nn.Module,
        x: torch.Tensor,
        y: torch.Tensor,
        steps: Iterable[tuple[int, Rows]],
        forward: Forward | None = None,
        log: Callable[[Rows], None] | None = None,
    ) -> None:
        """Train ``module`` in place and leave it without gradients; UserError where it overflows.

        ``x`` (n, ...), float32, and ``y`` (n,), int64, are on the module's device. ``steps`` yields the epoch and the
        rows of ``x`` of each batch. ``forward`` is the module itself if None; it runs in the chosen precision, the loss
        in float32. ``log`` gets the rows of each step after it, and none before the first: see :func:`step_log`.
        """
        import torch

        optimizer = self.make_optimizer(module.parameters())
        if log:
            log(np.empty(0, dtype=np.int64))
        for epoch, batch in steps:
            rows = torch.from_numpy(batch).to(x.device)
            optimizer.zero_grad()
            with torch.autocast(x.device.type, torch.bfloat16, enabled=self.precision == "bf16"):
                logits = forward(x[rows], epoch, batch) if forward else module(x[rows])
            torch.nn.functional.cross_entropy(logits.float(), y[rows]).backward()  # type: ignore[no-untyped-call]  # torch has no type for it
            optimizer.step()
            if log:
                log(batch)
        self.finish(module)

    def make_optimizer(self, parameters: Iterable[torch.Tensor]) -> torch.optim.Optimizer:
        """Return a new optimizer for these parameters."""
        import torch

        weights = list(parameters)
        kind = torch.optim.Adam if self.optimizer == "adam" else torch.optim.SGD
        how = {"lr": self.learning_rate, "weight_decay": self.weight_decay}
        try:
            return kind(weights, **how, fused=self.fused)  # type: ignore[arg-type]  # a dict of one type
        except RuntimeError:  # older torch fuses on some devices only
            return kind(weights, **how)  # type: ignore[arg-type]  # as above

    def finish(self, module: torch.nn.Module) -> None:
        """Leave a trained module without gradients; UserError where its weights overflowed."""
        module.zero_grad()
        self.check_finite(all(bool(values.isfinite().all()) for values in module.state_dict().values()))

    def check_finite(self, finite: bool) -> None:
        """Raise :class:`UserError` unless the trained weights are ``finite``."""
        if not finite:
            raise UserError(f"the network's weights overflowed: lower learning_rate ({self.learning_rate:g})")


def step_log(task: FitTask, module: torch.nn.Module) -> Callable[[Rows], None] | None:
    """Return what hands the log of a task, if it has one, the ids of each batch and the network."""
    log, ids = task.log, task.data.kept_ids
    return None if log is None else lambda rows: log(ids[rows], module)


def begin_training(module: torch.nn.Module, records: int) -> torch.nn.Module:
    """Put a network into training mode for a batch of ``records`` records, and return it.

    One record has no variance: batch normalization takes its running statistics for it, as in evaluation mode.
    """
    return module.train(records > 1)


def unit_scales(seed: int, epoch: int, ids: NDArray[np.int64], shares: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the factor of dropout on each unit of each record, (n, units): 0, or 1 / (1 - its share).

    ``ids`` (n,) are the records, ``shares`` (units,) the probability that a unit is left out. Each draw is keyed by
    (``seed``, ``epoch``, record, unit), so it does not depend on the batch or on other records. Units that stay are
    scaled up, so nothing is scaled when the network answers ("inverted" dropout; Srivastava et al. 2014, JMLR 15).
    """
    draws = keyed_uniforms(seed, epoch, ids[:, np.newaxis], np.arange(len(shares)))
    return np.where(draws < shares, 0.0, 1 / (1 - shares)).astype(np.float32)
