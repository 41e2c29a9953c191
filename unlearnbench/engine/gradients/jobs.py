"""What is to be trained for one deletion, and the records of several deletions side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.records import Records
from unlearnbench.core.seeding import keyed_bits
from unlearnbench.engine.access import Access
from unlearnbench.engine.gradients.passes import Pass, Stage, Term
from unlearnbench.engine.networks.modules import HasModule
from unlearnbench.engine.unlearners import Deletion

if TYPE_CHECKING:
    import torch

Ids = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Made:
    """Records that a method makes for one deletion."""

    inputs: torch.Tensor
    """(m, ...), as the network takes them: ``fitted.inputs``."""
    labels: torch.Tensor
    """The classes (m,) to learn, int64."""

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, eq=False)
class Job:
    """A network to train for one deletion."""

    module: torch.nn.Module
    """Where it starts: a copy that is the job's own."""
    fitted: HasModule
    """The model to unlearn from."""
    records: Records
    retain: Ids
    """Ids of the records that stay."""
    forget: Ids
    """Ids of the records that go."""
    validation: Ids
    """Ids of the records for validation."""
    seed: int
    """Of shuffles, samples, draws and dropout."""
    access: Access
    stages: Sequence[Stage]
    training: bool
    """Whether the network is in training mode."""
    teachers: Mapping[str, torch.nn.Module]
    """Fixed networks by name, in evaluation mode."""
    deletion: Deletion
    """What edits between passes are given: its sets raise where they are not declared."""
    masks: Sequence[torch.Tensor] | None = None
    """By what the gradient of each number is multiplied, 0 for those that stay; None for 1."""
    made: Made | None = None
    """Records that the method makes; their ids follow those of the data set."""
    context: Any = None
    """What the method keeps of the deletion for its steps and measures."""
    snapshots: list[torch.nn.Module] = field(default_factory=list)

    def ids(self, term: Term) -> Ids:
        """Return the ids of the records of a term; AccessError where the method does not declare them."""
        parts: list[Ids] = []
        if term.over in ("forget", "both"):
            self.access.check("forget-set")
            parts.append(self.forget)
        if term.over in ("retain", "both"):
            self.access.check("retain-set")
            parts.append(self._sample(term.share))
        if term.over == "validation":
            self.access.check("validation-set")
            parts.append(self.validation)
        if term.over == "made" or term.with_made:
            parts.append(self.made_ids)
        return np.concatenate(parts)

    def tabled(self) -> Iterator[Ids]:
        """Yield the ids of the data set's records that the network is trained on or may be."""
        yield from (self.retain, self.forget)
        if any(term.over == "validation" for stage in self.stages for pass_ in stage.passes for term in pass_.read):
            yield self.validation

    @property
    def made_ids(self) -> Ids:
        """The ids (m,) of the records that the method makes."""
        return len(self.records) + np.arange(len(self.made or ()), dtype=np.int64)

    def _sample(self, share: float) -> Ids:
        if share == 1:
            return self.retain
        order = np.argsort(keyed_bits(self.seed, _SAMPLE, self.retain), kind="stable")
        return self.retain[np.sort(order[: int(share * len(self.retain))])]


Step = tuple[Ids, ...]
"""One optimizer step: the batches (jobs, B) of each of the terms that a pass reads, as ids of records."""

_SAMPLE, _SHUFFLE = 1, 2
"""What a draw is for: part of its key."""


def steps(jobs: Sequence[Job], number: int, pass_: Pass) -> Iterator[Step]:
    """Yield the steps of pass ``number`` of jobs of one shape; none where the first term has no records."""
    cycles = [_cycle(jobs, number, t, term) for t, term in enumerate(pass_.read)]
    nothing = np.empty((len(jobs), 0), dtype=np.int64)
    for step in range(_length(pass_, len(jobs[0].ids(pass_.terms[0])))):
        yield tuple(
            nothing if step % term.every else next(cycle) for cycle, term in zip(cycles, pass_.read, strict=True)
        )


def _length(pass_: Pass, records: int) -> int:
    """Return how many steps a pass has whose first term has this many records."""
    whole = pass_.cycles * -(-records // pass_.terms[0].batch_size)
    return int(pass_.part * whole + 1e-9)  # a part is rounded itself: .3 may be a little less


def _cycle(jobs: Sequence[Job], number: int, term_number: int, term: Term) -> Iterator[Ids]:
    """Yield batches (jobs, B) without end, shuffled anew in each cycle; empty ones where the term has no records."""
    ids, seeds = np.stack([job.ids(term) for job in jobs]), np.array([[job.seed] for job in jobs])
    for cycle in count():
        order = np.argsort(keyed_bits(seeds, _SHUFFLE, number, term_number, cycle, ids), axis=1, kind="stable")
        shuffled = np.take_along_axis(ids, order, axis=1)
        for start in range(0, max(ids.shape[1], 1), term.batch_size):
            yield shuffled[:, start : start + term.batch_size]


def record_passes(stages: Sequence[Stage], retain: int, forget: int, made: int = 0, validation: int = 0) -> int:
    """Return how many records :func:`steps` hand out in all stages, with repetitions, for sets of these sizes.

    Those beside a batch, which only go forward, are not counted.
    """
    sizes = {"retain": retain, "forget": forget, "made": made, "validation": validation}
    return sum(_of_pass(pass_, sizes) for stage in stages for pass_ in stage.passes)


def _of_pass(pass_: Pass, of_sets: Mapping[str, int]) -> int:
    sizes = [_size(term, of_sets) for term in pass_.terms]
    length = _length(pass_, sizes[0])
    return sum(
        _in_batches(-(-length // term.every), size, term.batch_size)
        for size, term in zip(sizes, pass_.terms, strict=True)
    )


def _size(term: Term, of_sets: Mapping[str, int]) -> int:
    stayed = int(term.share * of_sets["retain"])
    own = {**of_sets, "retain": stayed, "both": of_sets["forget"] + stayed}[term.over]
    return own + (of_sets["made"] if term.with_made and term.over != "made" else 0)


def _in_batches(number: int, records: int, batch_size: int) -> int:
    """Return how many records are in this number of batches, of a set that is gone over again and again."""
    cycles, left = divmod(number, max(-(-records // batch_size), 1))
    return cycles * records + min(left * batch_size, records)


class Tables:
    """The records of some jobs on their device: features, labels, teachers' answers, a row for each record."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        """Take jobs on one data set whose models scale it alike; one that has made records comes alone."""
        self.jobs = jobs
        self._made = jobs[0].made
        self._fitted, self._records = jobs[0].fitted, jobs[0].records
        self._answers: dict[int, torch.Tensor] = {}

    @cached_property
    def ids(self) -> Ids:
        """The ids (n,) of the rows, ascending; those of made records are the last."""
        return np.concatenate([self._own, self.jobs[0].made_ids])

    @cached_property
    def _own(self) -> Ids:
        """The ids of the rows that are of the data set."""
        used = np.zeros(len(self._records), dtype=np.bool_)
        for job in self.jobs:
            for ids in job.tabled():
                used[ids] = True
        return np.flatnonzero(used)

    @cached_property
    def x(self) -> torch.Tensor:
        """The records (n, ...) as networks take them."""
        import torch

        own = self._fitted.inputs(self._records.x[self._own])
        return own if self._made is None else torch.cat([own, self._made.inputs])

    @cached_property
    def y(self) -> torch.Tensor:
        """The labels (n,)."""
        import torch

        own = torch.from_numpy(self._records.y[self._own]).to(self._fitted.device)
        return own if self._made is None else torch.cat([own, self._made.labels])

    def rows(self, ids: Ids) -> Ids:
        """Return the row of each record."""
        return self._row_of[ids]

    @cached_property
    def _row_of(self) -> Ids:
        """The row of each id; 0 of those without one."""
        row_of = np.zeros(len(self._records) + len(self._made or ()), dtype=np.int64)
        row_of[self.ids] = np.arange(len(self.ids))
        return row_of

    @cached_property
    def forgotten(self) -> NDArray[np.bool_]:
        """Which records are of each job's forget set (jobs, n)."""
        forgotten = np.zeros((len(self.jobs), len(self.ids)), dtype=np.bool_)
        for own, job in zip(forgotten, self.jobs, strict=True):
            own[self.rows(job.forget)] = True
        return forgotten

    def answers(self, teacher: torch.nn.Module) -> torch.Tensor:
        """Return a teacher's logits (n, n_classes), computed once."""
        import torch

        if id(teacher) not in self._answers:
            with torch.no_grad():
                blocks = [teacher(block) for block in torch.split(self.x, _BLOCK)]
            self.take_answers(teacher, torch.cat(blocks))
        return self._answers[id(teacher)]

    def take_answers(self, teacher: torch.nn.Module, logits: torch.Tensor) -> None:
        """Take ``logits`` (n, n_classes) for the answers of a teacher."""
        self._answers[id(teacher)] = logits


_BLOCK = 1024
"""How many records a teacher answers at once, which bounds memory."""
