"""Training the networks of jobs, in stacks where that is faster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from unlearnbench.core.errors import UserError
from unlearnbench.engine.gradients.jobs import Job, Step, steps
from unlearnbench.engine.gradients.networks import Networks, OneNetwork
from unlearnbench.engine.gradients.passes import Optimizer, Pass
from unlearnbench.engine.gradients.perceptron import copy_of
from unlearnbench.engine.gradients.stack import MOST, Stack, stackable
from unlearnbench.engine.gradients.steps import StepGradients

if TYPE_CHECKING:
    import torch


def train(jobs: Sequence[Job]) -> list[torch.nn.Module]:
    """Return the trained network of each job; its snapshots are then in the job. UserError where weights overflow.

    The jobs are those of one method and one original; a network does not depend on the others.
    """
    import torch

    edited = not any(stage.passes for job in jobs for stage in job.stages)
    modules = [job.module for job in jobs] if edited else _trained(jobs)
    for module in modules:
        require_finite(torch.cat([values.detach().flatten() for values in (*module.parameters(), *module.buffers())]))
    return modules


def require_finite(numbers: torch.Tensor) -> None:
    """Raise UserError where a weight, or another number of a network, overflowed."""
    import torch

    extremes = torch.stack(torch.aminmax(numbers))  # a tenth of the time that looking at each number takes
    if not extremes.isfinite().all():
        raise UserError("the network's weights overflowed: lower learning_rate")


def _trained(jobs: Sequence[Job]) -> list[torch.nn.Module]:
    done: dict[int, torch.nn.Module] = {}
    for networks in _together(jobs):
        _train(networks)
        done.update(zip(map(id, networks.jobs), networks.modules(), strict=False))  # copies have the last one's id
    return [done[id(job)] for job in jobs]


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
        made: dict[Optimizer, torch.optim.Optimizer] = {}
        for pass_ in stage.passes:
            if not _goes_on(networks, pass_):
                return
            _before(networks, pass_)
            optimizer = pass_.optimizer or stage.optimizer
            if optimizer not in made:
                made[optimizer] = optimizer.make(networks.parameters)
            if networks.trainable:
                _run_pass(networks, made[optimizer], optimizer.learning_rate, number, pass_)
            number += 1


def _before(networks: Networks, pass_: Pass) -> None:
    """Keep the networks where they are wanted later, then edit them."""
    if pass_.snapshot:
        for job, module in zip(networks.jobs, networks.modules(), strict=False):
            job.snapshots.append(copy_of(module))
    if pass_.edit:
        networks.edit(pass_.edit)


def _run_pass(networks: Networks, optimizer: torch.optim.Optimizer, rate: float, number: int, pass_: Pass) -> None:
    steps_ = list(_steps(networks.jobs, number, pass_))
    for index, batches in enumerate(steps_):
        done = index / len(steps_)
        for group in optimizer.param_groups:
            group["lr"] = rate * pass_.rate_at(done)
        _step(networks, optimizer, pass_, StepGradients(networks, pass_.terms, batches, number, done))


def _step(networks: Networks, optimizer: torch.optim.Optimizer, pass_: Pass, gradients: StepGradients) -> None:
    """Move along the sum of the terms, or along what the pass's own rule yields."""
    for own in pass_.step(gradients) if pass_.step else [None]:
        for parameter in networks.parameters:  # as zero_grad does, which takes ten times as long
            parameter.grad = None
        gradients.descend() if own is None else gradients.move_along(own)
        _change_gradients(networks, pass_)
        optimizer.step()
        _restore(networks)


def _goes_on(networks: Networks, pass_: Pass) -> bool:
    """Measure the network where the pass asks for it, and return whether training goes on."""
    if pass_.measure is None:
        return True
    (job,), (module,) = networks.jobs, networks.modules()
    networks.measured = pass_.measure(job.fitted.with_module(module), job.context)
    return networks.measured is not None


def _steps(jobs: Sequence[Job], number: int, pass_: Pass) -> Iterator[Step]:
    """Yield the steps of all jobs; those of copies, which are the last, are made once."""
    own = list({id(job): job for job in jobs}.values())
    place = np.minimum(np.arange(len(jobs)), len(own) - 1)
    for batches in steps(own, number, pass_):
        yield tuple(batch[place] for batch in batches)


def _change_gradients(networks: Networks, pass_: Pass) -> None:
    """Add the penalty's gradient, and multiply by the factors of the mask."""
    import torch

    with torch.no_grad():
        for index, parameter in enumerate(networks.parameters):
            if parameter.grad is None:
                continue
            if pass_.penalty:
                parameter.grad += pass_.penalty(parameter, networks.starts[index])
            if networks.factors is not None:
                parameter.grad *= networks.factors[index]


def _restore(networks: Networks) -> None:
    """Undo what the step did to numbers that stay."""
    import torch

    if networks.moving is None:
        return
    with torch.no_grad():
        for parameter, start, moves in zip(networks.parameters, networks.starts, networks.moving, strict=True):
            torch.where(moves, parameter, start, out=parameter)
