"""Networks of one architecture trained together: their layers are stacked, and a step is one product a layer for all.

For devices that one small network cannot fill, and for dropout, which the kernel (:mod:`unlearnbench.engine.mlp.train`)
does not have. Written for any device that torch has, but run on CPUs only: of a GPU, neither the speed nor the results
are known.

A stack always has the same number of networks, so that a network is trained by products of the same shapes alone and
among others; a stack that is not full is filled with copies of the last network. So on a CPU, at a fixed number of
threads, results do not depend on the other networks, to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from unlearnbench.engine.mlp.layout import Layers, widths_of
from unlearnbench.engine.networks.stacked_jobs import Shape, StackedJob, StackedJobs

if TYPE_CHECKING:
    import torch

    MakeOptimizer = Callable[[list[torch.Tensor]], torch.optim.Optimizer]

_BYTES = {"cpu": 4 * 2**20}
_BYTES_ELSEWHERE = 2**30
"""The memory for the parameters, gradients and moments of a stack: a CPU's cache, a part of a GPU's memory."""

_MOST = {"cpu": 32}
_MOST_ELSEWHERE = 512


_MULTIPLE = 16
"""A stack has a multiple of this many networks: torch rounds what is left behind the last whole vector differently."""


def stack_size(layers: Layers, device: str) -> int:
    """Return how many networks like this one a stack has on a device: what fits its memory, but 16 at least."""
    each = 4 * 4 * sum(weight.size + bias.size for weight, bias in layers)
    fits = _BYTES.get(device, _BYTES_ELSEWHERE) // each
    return max(1, min(fits, _MOST.get(device, _MOST_ELSEWHERE)) // _MULTIPLE) * _MULTIPLE


def train_stacked(
    jobs: Sequence[StackedJob], epochs: int, dropout: float, make_optimizer: MakeOptimizer, device: str
) -> list[Layers]:
    """Return the layers, on the CPU, of the network of each job.

    ``dropout`` is the share of hidden units left out. ``make_optimizer`` is called with stacked parameters and must
    treat each number by itself, as SGD and Adam do. Jobs may differ in everything; those that
    have the same widths and the same number of steps in each epoch are trained together.
    """
    alike: dict[tuple[Shape, tuple[int, ...]], list[int]] = {}
    for index, job in enumerate(jobs):
        alike.setdefault((job.shape(epochs), tuple(widths_of(job.start))), []).append(index)
    done: dict[int, Layers] = {}
    for (shape, _), group in alike.items():
        size = stack_size(jobs[group[0]].start, device)
        for begin in range(0, len(group), size):
            some = group[begin : begin + size]
            filled = [jobs[index] for index in some] + [jobs[some[-1]]] * (size - len(some))
            trained = _train(StackedJobs(filled, shape.largest, dropout, device), epochs, make_optimizer)
            done.update(zip(some, trained, strict=False))  # the copies are dropped
    return [done[index] for index in range(len(jobs))]


def _train(jobs: StackedJobs, epochs: int, make_optimizer: MakeOptimizer) -> list[Layers]:
    stack = _stacked([job.start for job in jobs.jobs], jobs.device)
    optimizer = make_optimizer([parameter for layer in stack for parameter in layer])
    for epoch in range(epochs):
        for batch in jobs.batches(epoch):
            optimizer.zero_grad()
            loss(logits(stack, batch.x, batch.scales), batch.y, batch.weight).backward()  # type: ignore[no-untyped-call]  # torch has no type for it
            optimizer.step()
    return _unstacked(stack)


def logits(
    stack: Sequence[tuple[torch.Tensor, torch.Tensor]], x: torch.Tensor, scales: torch.Tensor | None
) -> torch.Tensor:
    """Return logits (K, B, classes) of K networks on a batch ``x`` (K, B, d) each.

    ``stack`` has the weights (K, in, out) and biases (K, 1, out) of each layer. ``scales`` (K, B, hidden units of all
    layers) are the factors of dropout, or None.
    """
    import torch

    first = 0
    for level, (weight, bias) in enumerate(stack):
        x = torch.baddbmm(bias, x, weight)
        if level < len(stack) - 1:
            x = x.relu()
            if scales is not None:
                x = x * scales[:, :, first : first + x.shape[2]]
            first += x.shape[2]
    return x


def loss(logits: torch.Tensor, y: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Return the sum of all networks' losses: cross-entropy (K, B) times ``weight`` (K, B)."""
    chosen = logits.log_softmax(dim=2).gather(2, y.unsqueeze(2)).squeeze(2)
    return -(chosen * weight).sum()


def _stacked(starts: Sequence[Layers], device: str) -> list[tuple[torch.Tensor, torch.Tensor]]:
    import torch

    def together(parts: list[torch.Tensor]) -> torch.Tensor:
        return torch.stack(parts).to(device).requires_grad_()

    return [
        (
            together([torch.from_numpy(weight).T for weight, _ in layer]),
            together([torch.from_numpy(bias).unsqueeze(0) for _, bias in layer]),
        )
        for layer in zip(*starts, strict=True)
    ]


def _unstacked(stack: Sequence[tuple[torch.Tensor, torch.Tensor]]) -> list[Layers]:
    arrays = [(weight.detach().mT.cpu().numpy(), bias.detach().squeeze(1).cpu().numpy()) for weight, bias in stack]
    return [[(weight[k].copy(), bias[k].copy()) for weight, bias in arrays] for k in range(len(arrays[0][0]))]
