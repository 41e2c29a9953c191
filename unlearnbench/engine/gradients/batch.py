"""A batch as a loss sees it: logits, labels, the original's answers, keyed draws."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.seeding import keyed_normals, keyed_uniforms
from unlearnbench.engine.gradients.jobs import Ids, Job, Tables

if TYPE_CHECKING:
    import torch

    from unlearnbench.engine.gradients.networks import Networks

_DRAW, _NOISE = 3, 4
"""What a draw is for: part of its key, beside those of ``jobs``."""


class Batch:
    """The n records of one step, of one network or of several, one behind the other."""

    beside: Batch
    """A batch of the records that the term names beside its own; its logits have no gradient."""

    def __init__(
        self,
        logits: torch.Tensor,
        ids: Ids,
        jobs: Sequence[Job],
        tables: Tables,
        number: int,
        networks: Networks | None = None,
    ) -> None:
        """Take the logits (n, C) of all networks, the ids (networks, B) of their records, and the networks for more."""
        self.logits = logits
        """(n, C), of the network that is trained."""
        self._ids, self._jobs, self._tables, self._number = ids, jobs, tables, number
        self._networks = networks

    @property
    def n_classes(self) -> int:
        """The number C of classes."""
        return self.logits.shape[1]

    @cached_property
    def _rows(self) -> torch.Tensor:
        """The rows (n,) of the records in the tables."""
        return self._tensor(self._tables.rows(self._ids.ravel()))

    @property
    def _seeds(self) -> Ids:
        """The seed (n,) of each record's network."""
        return np.array([job.seed for job in self._jobs]).repeat(self.size)

    @property
    def labels(self) -> torch.Tensor:
        """The true classes (n,)."""
        self._jobs[0].access.check("labels")
        return self._tables.y[self._rows]

    @property
    def forgotten(self) -> torch.Tensor:
        """Which records (n,) are of the forget set."""
        networks = np.arange(len(self._jobs)).repeat(self.size)
        return self._tensor(self._tables.forgotten[networks, self._tables.rows(self._ids.ravel())])

    @property
    def retained(self) -> torch.Tensor:
        """How many records of each class are retained (n, C): for each record, by its own network."""
        import torch

        for data in ("retain-set", "labels"):
            self._jobs[0].access.check(data)
        y = self._tables.y
        counts = [y[self._tables.rows(job.retain)].bincount(minlength=self.n_classes) for job in self._jobs]
        return torch.stack(counts).repeat_interleave(self.size, dim=0)

    @property
    def size(self) -> int:
        """How many records of the n are those of one network; all have as many."""
        return int(self._ids.shape[1])

    @property
    def inputs(self) -> torch.Tensor:
        """The records (n, ...) as the network takes them."""
        return self._tables.x[self._rows]

    def answer(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the logits (n, C) of the network that is trained for other inputs (n, ...) of the same records."""
        return self._trained.answer(inputs, self._ids, self._number).float()

    @property
    def measured(self) -> float:
        """What the pass has measured before its first step."""
        if self._trained.measured is None:
            raise ValueError("batch.measured: the pass has no `measure`")
        return self._trained.measured

    @property
    def _trained(self) -> Networks:
        if self._networks is None:
            raise ValueError("this batch was made of logits alone, without a network")
        return self._networks

    @property
    def original(self) -> torch.Tensor:
        """The logits (n, C) of the model to unlearn from, in evaluation mode."""
        return self.teacher("original")

    def teacher(self, name: str) -> torch.Tensor:
        """Return the logits (n, C) of a network of :meth:`GradientUnlearner.teachers`, in evaluation mode."""
        import torch

        teachers = [job.teachers[name] for job in self._jobs]
        if len({id(each) for each in teachers}) == 1:  # so it is at the first step of requests of one original
            return self._tables.answers(teachers[0])[self._rows]
        parts = torch.split(self._rows, self.size)
        return torch.cat([self._tables.answers(each)[rows] for each, rows in zip(teachers, parts, strict=True)])

    def draws(self, fixed: bool = False) -> torch.Tensor:
        """Return a uniform draw (n,) in [0, 1) for each record, another one in each pass unless ``fixed``."""
        number = 0 if fixed else self._number + 1
        return self._tensor(keyed_uniforms(self._seeds, _DRAW, number, self._ids.ravel()))

    def noise(self, copy: int = 0) -> torch.Tensor:
        """Return standard normal noise of the shape of ``inputs``: for each record, pass and ``copy`` another."""
        shape = self.inputs.shape[1:]
        numbers = np.arange(shape.numel())
        drawn = keyed_normals(self._seeds[:, None], _NOISE, self._number, copy, self._ids.reshape(-1, 1), numbers)
        return self._tensor(drawn.astype(np.float32)).reshape(-1, *shape)

    def by_network(self, values: torch.Tensor) -> torch.Tensor:
        """Return values (n, ...), of this batch or of that beside it, as (networks, records of each, ...)."""
        networks = len(self._ids)
        return values.reshape(networks, len(values) // networks, *values.shape[1:])

    def mean(self, values: torch.Tensor) -> torch.Tensor:
        """Return for each record the mean (n,) of ``values`` (n,) over the batch of its own network."""
        return self.by_network(values).mean(dim=1).repeat_interleave(self.size)

    def cross_entropy(self, labels: torch.Tensor) -> torch.Tensor:
        """Return the cross-entropy (n,) of ``labels`` (n,), in nats."""
        import torch

        return torch.nn.functional.cross_entropy(self.logits, labels, reduction="none")

    def divergence(self, target: torch.Tensor, temperature: float = 1.0) -> torch.Tensor:
        """Return T^2 KL(softmax(target / T) || softmax(logits / T)), (n,), summed over classes, in nats.

        ``target`` (n, C) has logits; -inf is a probability of 0.
        """
        wanted = (target / temperature).log_softmax(dim=1)
        found = (self.logits / temperature).log_softmax(dim=1)
        probability = wanted.exp()
        each = (probability * (wanted - found)).where(probability > 0, 0.0)
        return temperature**2 * each.sum(dim=1)

    def _tensor(self, array: NDArray[np.generic]) -> torch.Tensor:
        import torch

        return torch.from_numpy(array).to(self.logits.device)
