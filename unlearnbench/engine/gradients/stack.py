"""The networks of some jobs side by side: linear layers with ReLU in between, their numbers in one table.

On a CPU each network goes through the compiled passes of :mod:`unlearnbench.engine.mlp` by itself. Elsewhere a layer of
all of them is one product of torch; a stack has a multiple of 16 networks there, so that products have the same shapes
for each.

Losses are computed by torch, of all networks at once. So that every number lies in a whole vector of the processor, a
network has a multiple of 64 numbers, and losses are those of a multiple of 64 records, or of 16 networks, filled with
copies of the last network. On a CPU, at a fixed number of threads, a network comes out the same to the last bit,
whoever else is in its stack.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from math import gcd
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from unlearnbench.engine.gradients.jobs import Ids, Job, Tables
from unlearnbench.engine.gradients.networks import Networks
from unlearnbench.engine.gradients.perceptron import is_perceptron
from unlearnbench.engine.jit import usable
from unlearnbench.engine.mlp import several
from unlearnbench.engine.mlp.layout import Layout, layout_of, padded_rows
from unlearnbench.engine.mlp.passes import Workspace, workspace_for
from unlearnbench.engine.mlp.simd import Floats
from unlearnbench.engine.networks.modules import trains_as_it_answers

if TYPE_CHECKING:
    import torch

MULTIPLE = 16
"""Losses are those of a multiple of this many networks, or of fewer whose records are a multiple of ``_RECORDS``."""
_RECORDS = 64
"""So many losses fill the vectors of every processor, however many of them a loop takes at once."""
MOST = 64
"""The most networks in a stack."""
_ROW = 64
"""The numbers of a network are a multiple of this many."""


class Stack(Networks):
    """Networks of linear layers with ReLU in between, in one table with a row for each."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        """Take jobs of one shape: see :func:`stackable`."""
        self.real = len(jobs)
        self.compiled = compilable(jobs[0].module)
        self.net = _layout(jobs[0].module)
        self._spaces: dict[int, Workspace] = {}
        filled = [*jobs, *[jobs[-1]] * (-len(jobs) % MULTIPLE)]
        self._kept = list(jobs) if self.compiled else filled
        table = self._table([list(job.module.parameters()) for job in self._kept])
        trainable = any(each.requires_grad for each in jobs[0].module.parameters())
        super().__init__(filled, Tables(filled), [table.requires_grad_(trainable)])

    def filled(self, records: Sequence[int]) -> int:
        """Return how many networks fill whole vectors; on a GPU all, so that products have the same shapes."""
        if not self.compiled:
            return len(self.jobs)
        multiple = max((min(MULTIPLE, _RECORDS // gcd(_RECORDS, each)) for each in records if each), default=1)
        return -(-self.real // multiple) * multiple

    def logits(self, ids: Ids, number: int) -> torch.Tensor:
        """Return the logits of records of the tables."""
        if not self.compiled:
            return super().logits(ids, number)
        return self._passed(self._inputs, self.tables.rows(ids[: self.real]), len(ids))

    def answer(self, x: torch.Tensor, ids: Ids, number: int) -> torch.Tensor:  # noqa: ARG002 - no dropout
        """Return the logits of the layers."""
        if not self.compiled or x.requires_grad:
            return self._product(x, len(ids))
        rows = np.arange(len(x)).reshape(ids.shape)[: self.real]
        return self._passed(padded_rows(x.detach().numpy()), rows, len(ids))

    def modules(self) -> list[torch.nn.Module]:
        """Return the modules with their rows of the table."""
        modules = [job.module for job in self.jobs[: self.real]]
        for own, stacked in zip(zip(*(each.parameters() for each in modules), strict=True), self._views(), strict=True):
            for parameter, values in zip(own, stacked.detach(), strict=False):  # behind them there may be copies
                parameter.data.copy_(values)
        return modules

    def _passed(self, x: Floats, rows: NDArray[np.int64], filled: int) -> torch.Tensor:
        """Return the logits of rows (networks, B) of padded inputs, and of copies, ``filled`` networks in all.

        A slope by them becomes a gradient of the table.
        """
        import torch

        found = several.logits(self.net, self._space(rows.shape[1]), self._numbers, x, rows)
        copies = np.repeat(found[-1:], filled - self.real, axis=0)
        logits = torch.from_numpy(np.concatenate([found, copies])).flatten(0, 1)
        if torch.is_grad_enabled():
            logits.requires_grad_().register_hook(lambda slopes: self._descend(x, rows, slopes))  # type: ignore[no-untyped-call]  # torch has no type for it
        return logits

    def _descend(self, x: Floats, rows: NDArray[np.int64], slopes: torch.Tensor) -> None:
        """Add the gradient to that of the table, given the slopes (n, C) of the logits, copies included."""
        import torch

        own = slopes.contiguous().numpy().reshape(-1, rows.shape[1], slopes.shape[1])
        gradient = torch.from_numpy(
            several.gradients(self.net, self._space(rows.shape[1]), self._numbers, x, rows, own)
        )
        (table,) = self.parameters
        table.grad = gradient if table.grad is None else table.grad + gradient

    def _space(self, records: int) -> Workspace:
        """Return space for batches of so many records, made once."""
        if records not in self._spaces:
            self._spaces[records] = workspace_for(self.net, records)
        return self._spaces[records]

    def _product(self, x: torch.Tensor, filled: int) -> torch.Tensor:
        """Return the logits of so many networks by products of torch."""
        import torch

        views, copies = self._views(), filled - len(self._kept)
        x = x.reshape(filled, -1, x.shape[1])[: len(self._kept)]
        for level, (weight, bias) in enumerate(zip(views[::2], views[1::2], strict=True)):
            x = torch.baddbmm(bias.unsqueeze(1), x, weight.mT)
            x = x if level == len(self.net.weight) - 1 else x.relu()
        return torch.cat([x, x[-1:].detach().expand(copies, -1, -1)]).flatten(0, 1)

    @cached_property
    def _inputs(self) -> Floats:
        """The inputs of the tables' records, as the compiled passes take them."""
        return padded_rows(self.tables.x.numpy())

    @property
    def _numbers(self) -> Floats:
        """The table, for the compiled passes."""
        numbers: Floats = self.parameters[0].detach().numpy()
        return numbers

    def _views(self, table: torch.Tensor | None = None) -> list[torch.Tensor]:
        """Return each parameter of all networks (networks, ...), as a view of a table, by default of their own."""
        table = self.parameters[0] if table is None else table
        return [view for level in range(len(self.net.weight)) for view in _layer(self.net, level, table)]

    def _table(self, networks: Sequence[Sequence[torch.Tensor]]) -> torch.Tensor:
        """Return a table (networks, numbers) of the parameters of each network, or of what has their shapes."""
        import torch

        like = networks[0][0]
        table = torch.zeros(len(networks), -(-self.net.size // _ROW) * _ROW, device=like.device)
        for view, parts in zip(self._views(table), zip(*networks, strict=True), strict=True):
            view.copy_(torch.stack(parts).detach())
        return table

    def _masks(self) -> list[torch.Tensor] | None:
        import torch

        parameters = list(self.jobs[0].module.parameters())
        if self.jobs[0].masks is None and all(each.requires_grad for each in parameters):
            return None
        whole = [torch.full_like(each, each.requires_grad, requires_grad=False) for each in parameters]
        return [self._table([_masks_of(job, whole) for job in self._kept])]


def _masks_of(job: Job, whole: Sequence[torch.Tensor]) -> Sequence[torch.Tensor]:
    """Return the masks of a job, given those of whole parameters: 1, or 0 for what is frozen."""
    if job.masks is None:
        return whole
    pairs = zip(job.masks, whole, job.module.parameters(), strict=True)
    return [mask if parameter.requires_grad else frozen for mask, frozen, parameter in pairs]


def stackable(job: Job) -> bool:
    """Return whether the network of a job can be part of a stack."""
    alone = job.made is not None or any(pass_.alone for stage in job.stages for pass_ in stage.passes)
    return not alone and is_perceptron(job.module) and (not job.training or trains_as_it_answers(job.fitted))


def compilable(module: torch.nn.Module) -> bool:
    """Return whether the compiled passes serve a perceptron: on a CPU, where there is a compiler."""
    return usable() and all(each.device.type == "cpu" for each in module.parameters())


def _layout(module: torch.nn.Module) -> Layout:
    weights = [each for each in module.parameters() if each.ndim == 2]
    return layout_of([weights[0].shape[1], *(len(each) for each in weights)])


def _layer(net: Layout, level: int, table: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return weights (K, out, in) and biases (K, out) above a level, as views of a table (K, numbers)."""
    begin, end, stride = (int(each[level]) for each in (net.weight, net.bias, net.stride))
    fan_in, fan_out = net.width[level : level + 2].tolist()
    matrices = table[:, begin:end].reshape(len(table), -1, stride)
    return matrices[:, :fan_out, :fan_in], table[:, end : end + fan_out]
