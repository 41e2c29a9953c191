"""The networks of some jobs as they are trained, and that of a single job."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

from unlearnbench.engine.gradients.jobs import Ids, Job, Tables
from unlearnbench.engine.gradients.passes import Edit
from unlearnbench.engine.networks.training import begin_training

if TYPE_CHECKING:
    import torch


class Networks(ABC):
    """The networks of some jobs."""

    def __init__(self, jobs: Sequence[Job], tables: Tables, parameters: Sequence[torch.Tensor]) -> None:
        """Take ``parameters`` with a first axis for the networks where there are several."""
        self.jobs = jobs
        self.tables = tables
        self.parameters = parameters
        self.starts = self._values()
        masks = self._masks()
        self.moving = None if masks is None else [mask != 0 for mask in masks]
        """Which numbers are not to stay."""
        self.factors = masks if masks and any(bool(((mask != 0) & (mask != 1)).any()) for mask in masks) else None
        """By what gradients are multiplied; None where masks only tell what stays: that is put back after each step."""
        self.measured: float | None = None
        """What the present pass has measured, of one network."""

    @property
    def trainable(self) -> list[torch.Tensor]:
        """The parameters that are not frozen."""
        return [parameter for parameter in self.parameters if parameter.requires_grad]

    def filled(self, records: Sequence[int]) -> int:  # noqa: ARG002 - for stacks
        """Return of how many networks, copies included, losses are computed for batches of so many records each."""
        return len(self.jobs)

    def edit(self, edit: Edit) -> None:
        """Change networks that are not stacked in place; what they are then is their new start."""
        for job in self.jobs:
            edit(job.module.eval(), job.deletion)
        self.starts = self._values()

    def _values(self) -> list[torch.Tensor]:
        return [parameter.detach().clone() for parameter in self.parameters]

    def logits(self, ids: Ids, number: int) -> torch.Tensor:
        """Return the logits (n, C) of each job's records ``ids`` (jobs, B), one job behind the other, in a pass."""
        return self.answer(self.tables.x[self.tables.rows(ids.ravel())], ids, number)

    @abstractmethod
    def answer(self, x: torch.Tensor, ids: Ids, number: int) -> torch.Tensor:
        """Return the logits (n, C) of ``x`` (n, ...), in the place of the inputs of each job's records."""

    @abstractmethod
    def modules(self) -> list[torch.nn.Module]:
        """Return the modules of the jobs, with the weights as they are now, in evaluation mode."""

    @abstractmethod
    def _masks(self) -> list[torch.Tensor] | None:
        """Return the factors of the gradients of ``parameters``, in their shapes."""


class OneNetwork(Networks):
    """The network of one job, of any architecture."""

    def __init__(self, job: Job) -> None:
        """Take a job; its module is trained in place."""
        self.module = job.module.eval()
        super().__init__([job], Tables([job]), list(self.module.parameters()))

    def answer(self, x: torch.Tensor, ids: Ids, number: int) -> torch.Tensor:
        """Return logits as in training, or as in answering."""
        (job,), (own,) = self.jobs, ids
        if job.training:
            return job.fitted.training_logits(begin_training(self.module, len(own)), x, own, job.seed, number)
        logits: torch.Tensor = self.module(x)
        return logits

    def modules(self) -> list[torch.nn.Module]:
        """Return the module."""
        return [self.module.eval()]

    def _masks(self) -> list[torch.Tensor] | None:
        masks = self.jobs[0].masks
        return None if masks is None else list(masks)
