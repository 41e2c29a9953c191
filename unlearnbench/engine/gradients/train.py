"""Training the networks of jobs, in stacks where that is faster."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from unlearnbench.core.errors import UserError
from unlearnbench.engine.gradients.batch import Batch
from unlearnbench.engine.gradients.jobs import Ids, Job, Step, steps
from unlearnbench.engine.gradients.networks import MOST, Networks, OneNetwork, Stack, stackable
from unlearnbench.engine.gradients.passes import Pass, Stage, Term

if TYPE_CHECKING:
    import torch


def train(jobs: Sequence[Job]) -> list[torch.nn.Module]:
    """Return the trained network of each job; its snapshots are then in the job. UserError where weights overflow.

    The jobs are those of one method and one original; a network does not depend on the others.
    """
    done: dict[int, torch.nn.Module] = {}
    for networks in _together(jobs):
        _train(networks)
        done.update(zip(map(id, networks.jobs), networks.modules(), strict=False))  # copies have the last one's id
    modules = [done[id(job)] for job in jobs]
    if not all(bool(values.isfinite().all()) for module in modules for values in module.state_dict().values()):
        raise UserError("the network's weights overflowed: lower learning_rate")
    return modules


def _together(jobs: Sequence[Job]) -> Iterator[Networks]:
    """Yield all jobs, those of equal shapes in stacks."""
    alike: dict[object, list[Job]] = {}
    for job in jobs:
        if stackable(job):
            alike.setdefault(_shape(job), []).append(job)
        else:
            yield OneNetwork(job)
    for group in alike.values():
        for begin in range(0, len(group), MOST):
            yield Stack(group[begin : begin + MOST])


def _shape(job: Job) -> object:
    parameters = tuple((parameter.shape, parameter.requires_grad) for parameter in job.module.parameters())
    return len(job.retain), len(job.forget), job.masks is None, parameters


def _train(networks: Networks) -> None:
    number = 0
    for stage in networks.jobs[0].stages:
        if not networks.trainable:
            return
        optimizer = stage.optimizer.make(networks.trainable)
        for pass_ in stage.passes:
            _run_pass(networks, optimizer, stage, number, pass_)
            number += 1


def _run_pass(networks: Networks, optimizer: torch.optim.Optimizer, stage: Stage, number: int, pass_: Pass) -> None:
    import torch

    if pass_.snapshot:
        for job, module in zip(networks.jobs, networks.modules(), strict=False):
            job.snapshots.append(copy.deepcopy(module))
    for group in optimizer.param_groups:
        group["lr"] = stage.optimizer.learning_rate * pass_.rate
    for step in _steps(networks.jobs, number, pass_):
        optimizer.zero_grad()
        losses = [
            _loss(networks, term, ids, number) for term, ids in zip(pass_.terms, step, strict=True) if len(ids[0])
        ]
        torch.stack(losses).sum().backward()  # type: ignore[no-untyped-call]  # torch has no type for it
        _change_gradients(networks, pass_)
        optimizer.step()
        _restore(networks)


def _steps(jobs: Sequence[Job], number: int, pass_: Pass) -> Iterator[list[list[Ids]]]:
    """Yield for each step and term the batch of each job; that of a copy is made once."""
    plans: dict[int, list[Step]] = {}
    for job in jobs:
        if id(job) not in plans:
            plans[id(job)] = list(steps(job, number, pass_))
    for together in zip(*(plans[id(job)] for job in jobs), strict=True):
        yield [list(batches) for batches in zip(*together, strict=True)]


def _loss(networks: Networks, term: Term, ids: Sequence[Ids], number: int) -> torch.Tensor:
    """Return the sum of the networks' mean losses, times the term's weight."""
    batch = Batch(networks.logits(ids, number).float(), ids, networks.jobs, networks.tables, number)
    return term.weight * term.loss(batch).reshape(len(ids), -1).mean(dim=1).sum()


def _change_gradients(networks: Networks, pass_: Pass) -> None:
    """Add the penalty's gradient, and clear what is masked."""
    import torch

    with torch.no_grad():
        for index, parameter in enumerate(networks.parameters):
            if parameter.grad is None:
                continue
            if pass_.penalty:
                parameter.grad += pass_.penalty(parameter, networks.starts[index])
            if networks.masks is not None:
                parameter.grad *= networks.masks[index]


def _restore(networks: Networks) -> None:
    """Undo what weight decay did to masked numbers."""
    import torch

    if networks.masks is None:
        return
    with torch.no_grad():
        for parameter, start, mask in zip(networks.parameters, networks.starts, networks.masks, strict=True):
            parameter.copy_(torch.where(mask, parameter, start))
