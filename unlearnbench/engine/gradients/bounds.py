"""Records between the bounds of their features: where they lie, and what a network answers nearby."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from unlearnbench.core.errors import UserError
from unlearnbench.core.records import Records
from unlearnbench.engine.gradients.jobs import Made
from unlearnbench.engine.gradients.unlearner import GradientUnlearner, has_module
from unlearnbench.engine.networks.modules import HasModule
from unlearnbench.engine.unlearners import Deletion

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, eq=False)
class Bounds:
    """A network's inputs as levels in [0, 1]: 0 and 1 are the least and the largest value that a feature can have."""

    fitted: HasModule
    low: torch.Tensor
    """The inputs (1, ...) of a record whose features all have the least value."""
    span: torch.Tensor
    """What is to be added to them (1, ...) for the largest."""

    @classmethod
    def of(cls, fitted: HasModule, records: Records) -> Bounds:
        """Return the bounds of a data set; UserError where it has none. Inputs must scale each feature by itself."""
        if records.bounds is None:
            raise UserError(_without_bounds(records))
        low, high = (fitted.inputs(np.full((1, *records.x.shape[1:]), value, np.float64)) for value in records.bounds)
        return cls(fitted, low, high - low)

    def levels(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the levels (n, ...) of inputs (n, ...)."""
        return ((inputs - self.low) / self.span).clamp(0, 1)

    def inputs(self, levels: torch.Tensor) -> torch.Tensor:
        """Return the inputs (n, ...) of levels (n, ...)."""
        return self.low + levels * self.span

    def logits(self, levels: torch.Tensor) -> torch.Tensor:
        """Return the network's logits (n, C), in evaluation mode."""
        logits: torch.Tensor = self.fitted.module(self.inputs(levels))
        return logits

    def predicted(self, levels: torch.Tensor) -> torch.Tensor:
        """Return the network's most probable classes (n,)."""
        return self.logits(levels).argmax(dim=1)

    def slope(self, levels: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Return the gradient (n, ...) of each record's cross-entropy by its levels."""
        import torch

        levels = levels.detach().requires_grad_()
        loss = torch.nn.functional.cross_entropy(self.logits(levels), labels, reduction="sum")
        (gradient,) = torch.autograd.grad(loss, levels)
        return gradient


class BoundedUnlearner(GradientUnlearner):
    """A gradient unlearner that makes records from those to forget by changing features, within their bounds."""

    @abstractmethod
    def made_from(self, inputs: torch.Tensor, labels: torch.Tensor, bounds: Bounds) -> Made:
        """Return records made from the inputs (n, ...) and the true classes (n,) of the forget set, n > 0."""

    def made(self, deletion: Deletion) -> Made | None:
        """Return what ``made_from`` makes, nothing where there is nothing to forget."""
        import torch

        if not len(deletion.forget):
            return None
        fitted = has_module(deletion.fitted)
        labels = torch.tensor(deletion.forget.y, device=fitted.device)
        bounds = Bounds.of(fitted, deletion.forget.records)
        return self.made_from(fitted.inputs(deletion.forget.x), labels, bounds)

    def records_made(self, deletion: Deletion) -> int:
        """Return the size of the forget set."""
        return len(deletion.forget)

    def refusal_of_records(self, records: Records) -> str | None:
        """Refuse data sets without bounds."""
        return _without_bounds(records) if records.bounds is None else None


def _without_bounds(records: Records) -> str:
    return f"needs a data set with `bounds`, within which features may be changed; {records.name} has none"
