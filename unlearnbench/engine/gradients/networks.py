"""The networks of some jobs as they are trained: one module, or several small ones stacked.

A stack has a multiple of 16 networks and is filled with copies of the last one. So products have the same shapes for
each network, and every number of a network lies in a whole vector of the processor: on a CPU, at a fixed number of
threads, a network comes out the same to the last bit, whoever else is in its stack.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from unlearnbench.engine.gradients.jobs import Ids, Job, Tables
from unlearnbench.engine.gradients.passes import Edit
from unlearnbench.engine.networks.modules import trains_as_it_answers
from unlearnbench.engine.networks.training import begin_training

if TYPE_CHECKING:
    import torch

MULTIPLE = 16
"""A stack has a multiple of this many networks."""
MOST = 64
"""The most networks in a stack."""


class Networks(ABC):
    """The networks of some jobs."""

    def __init__(self, jobs: Sequence[Job], tables: Tables, parameters: Sequence[torch.Tensor]) -> None:
        """Take ``parameters`` with a first axis for the networks where there are several."""
        self.jobs = jobs
        self.tables = tables
        self.parameters = parameters
        self.starts = self._values()
        self.masks = self._masks()
        self.measured: float | None = None
        """What the present pass has measured, of one network."""

    @property
    def trainable(self) -> list[torch.Tensor]:
        """The parameters that are not frozen."""
        return [parameter for parameter in self.parameters if parameter.requires_grad]

    def edit(self, edit: Edit) -> None:
        """Change networks that are not stacked in place; what they are then is their new start."""
        for job in self.jobs:
            edit(job.module.eval(), job.deletion)
        self.starts = self._values()

    def _values(self) -> list[torch.Tensor]:
        return [parameter.detach().clone() for parameter in self.parameters]

    def logits(self, ids: Sequence[Ids], number: int) -> torch.Tensor:
        """Return the logits (n, C) of each job's records, one job behind the other, in pass ``number``."""
        return self.answer(self.tables.x[self.tables.rows(np.concatenate(ids))], ids, number)

    @abstractmethod
    def answer(self, x: torch.Tensor, ids: Sequence[Ids], number: int) -> torch.Tensor:
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

    def answer(self, x: torch.Tensor, ids: Sequence[Ids], number: int) -> torch.Tensor:
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


class Stack(Networks):
    """Networks of linear layers with ReLU in between: a layer of all of them is one product."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        """Take jobs of one shape: see :func:`stackable`."""
        import torch

        self.real = len(jobs)
        filled = [*jobs, *[jobs[-1]] * (-len(jobs) % MULTIPLE)]
        together = zip(*(job.module.parameters() for job in filled), strict=True)
        stacked = [torch.stack(parts).detach().requires_grad_(parts[0].requires_grad) for parts in together]
        super().__init__(filled, Tables(jobs), stacked)

    def answer(self, x: torch.Tensor, ids: Sequence[Ids], number: int) -> torch.Tensor:  # noqa: ARG002 - no dropout
        """Return the logits of the layers."""
        import torch

        x = x.reshape(len(ids), -1, *x.shape[1:])
        layers = list(zip(self.parameters[::2], self.parameters[1::2], strict=True))
        for level, (weight, bias) in enumerate(layers):
            x = torch.baddbmm(bias.unsqueeze(1), x, weight.mT)
            x = x if level == len(layers) - 1 else x.relu()
        return x.flatten(0, 1)

    def modules(self) -> list[torch.nn.Module]:
        """Return the modules with their parts of each parameter."""
        modules = [job.module for job in self.jobs[: self.real]]
        for k, module in enumerate(modules):
            for own, stacked in zip(module.parameters(), self.parameters, strict=True):
                own.data.copy_(stacked.detach()[k])
        return modules

    def _masks(self) -> list[torch.Tensor] | None:
        import torch

        masks = [job.masks for job in self.jobs if job.masks is not None]
        return [torch.stack(parts) for parts in zip(*masks, strict=True)] if masks else None


def stackable(job: Job) -> bool:
    """Return whether the network of a job can be part of a stack."""
    alone = job.made is not None or any(pass_.alone for stage in job.stages for pass_ in stage.passes)
    return not alone and is_perceptron(job.module) and (not job.training or trains_as_it_answers(job.fitted))


def is_perceptron(module: torch.nn.Module) -> bool:
    """Return whether a module is linear layers, with biases, and ReLU in turns."""
    import torch

    parts = list(module.children())
    linear = [each for each in parts if type(each) is torch.nn.Linear and each.bias is not None]
    turns = ([torch.nn.Linear, torch.nn.ReLU] * len(linear))[:-1]
    return type(module) is torch.nn.Sequential and bool(linear) and [type(each) for each in parts] == turns
