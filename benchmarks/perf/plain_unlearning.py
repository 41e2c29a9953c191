"""Methods of unlearning as one would write them for a single request in plain torch: the references of benchmarks.

Each changes a network in place, given its inputs ``x`` (n, ...), labels ``y`` (n,) and the rows of both sets.
Parameters are the methods' default values, for one epoch.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch.nn.functional import cross_entropy, kl_div


@dataclass(frozen=True, eq=False)
class Request:
    """What a method is given."""

    network: torch.nn.Module
    x: torch.Tensor
    y: torch.Tensor
    retain: torch.Tensor
    forget: torch.Tensor


Plain = Callable[[Request], None]


def with_dropout(network: torch.nn.Module) -> torch.nn.Sequential:
    """Return the small convolutional network with the dropout that it is trained with, in training mode."""
    conv1, relu1, conv2, relu2, pool, flatten, hidden, relu3, last = network.children()
    maps, units = torch.nn.Dropout2d(0.25), torch.nn.Dropout(0.5)
    return torch.nn.Sequential(conv1, relu1, conv2, relu2, maps, pool, flatten, hidden, relu3, units, last).train()


def batches(rows: torch.Tensor, size: int) -> Sequence[torch.Tensor]:
    """Return rows in random order, in batches."""
    return torch.split(rows[torch.randperm(len(rows))], size)


def step(optimizer: torch.optim.Optimizer, loss: torch.Tensor) -> None:
    """Take a step down the loss."""
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]  # torch has no type for it
    optimizer.step()


def finetune(request: Request) -> None:
    """Train on the retain set."""
    network, x, y = request.network, request.x, request.y
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
    for rows in batches(request.retain, 64):
        step(optimizer, cross_entropy(network(x[rows]), y[rows]))


def neggrad_plus(request: Request) -> None:
    """Train on the retain set, and away from the forget set in the same steps."""
    network, x, y, forget = request.network, request.x, request.y, request.forget
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01)
    for rows in batches(request.retain, 64):
        down, up = (cross_entropy(network(x[each]), y[each]) for each in (rows, forget))
        step(optimizer, 0.95 * down - 0.05 * up)


def random_label(request: Request) -> None:
    """Train on drawn labels of the forget set, then on the retain set."""
    _on_drawn_labels(request, None)


def salun(request: Request) -> None:
    """As ``random_label``, where half of the weights stay: those with small gradients on the forget set."""
    parameters, forget = list(request.network.parameters()), request.forget
    loss = cross_entropy(request.network(request.x[forget]), request.y[forget])
    gradients = torch.autograd.grad(loss, parameters)
    middle = torch.cat([each.abs().flatten() for each in gradients]).median()
    _on_drawn_labels(request, [each.abs() >= middle for each in gradients])


def _on_drawn_labels(request: Request, masks: Sequence[torch.Tensor] | None) -> None:
    network, forget = request.network, request.forget
    parameters = list(network.parameters())
    starts = [each.detach().clone() for each in parameters]
    optimizer = torch.optim.SGD(parameters, lr=0.013, momentum=0.9, weight_decay=5e-4)
    labels = request.y.clone()
    labels[forget] = torch.randint(int(labels.max()) + 1, (len(forget),))
    for rows in [*batches(forget, 64), *batches(request.retain, 64)]:
        step(optimizer, cross_entropy(network(request.x[rows]), labels[rows]))
        if masks is not None:
            with torch.no_grad():
                for each, start, mask in zip(parameters, starts, masks, strict=True):
                    each.copy_(torch.where(mask, each, start))


def scrub(request: Request) -> None:
    """Leave the teacher on the forget set, then follow it on the retain set."""
    network, x, y = request.network, request.x, request.y
    teacher = copy.deepcopy(network).eval()
    optimizer = torch.optim.Adam(network.parameters(), lr=5e-4, weight_decay=0.1)

    def distance(logits: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            wanted = (teacher(x[rows]) / 2).log_softmax(dim=1)
        return 4 * kl_div((logits / 2).log_softmax(dim=1), wanted, reduction="batchmean", log_target=True)

    for rows in batches(request.forget, 64):
        step(optimizer, -distance(network(x[rows]), rows))
    for rows in batches(request.retain, 32):
        logits = network(x[rows])
        step(optimizer, cross_entropy(logits, y[rows]) + 0.5 * distance(logits, rows))


def ssd(request: Request) -> None:
    """Dampen weights that matter more to the forget set than to all records."""
    of_all = _squared_gradients(request, torch.cat([request.retain, request.forget]))
    own = _squared_gradients(request, request.forget)
    with torch.no_grad():
        for weight, mine, common in zip(request.network.parameters(), own, of_all, strict=True):
            weight.copy_(torch.where(mine > 10 * common, weight * (common / mine).clamp(max=1), weight))


def _squared_gradients(request: Request, rows: torch.Tensor) -> list[torch.Tensor]:
    """Return the mean of the squared gradients, one record after the other."""
    parameters = list(request.network.parameters())
    sums = [torch.zeros_like(each) for each in parameters]
    for row in torch.split(rows, 1):
        loss = cross_entropy(request.network(request.x[row]), request.y[row])
        for total, gradient in zip(sums, torch.autograd.grad(loss, parameters), strict=True):
            total += gradient.square()
    return [total / len(rows) for total in sums]


def fisher(request: Request) -> None:
    """Add noise where the Fisher information of the retain set is small, one record and class after the other."""
    parameters = list(request.network.parameters())
    sums = [torch.zeros_like(each) for each in parameters]
    for row in torch.split(request.retain, 1):
        log_p = request.network(request.x[row]).log_softmax(dim=1)[0]
        for each in log_p:
            gradients = torch.autograd.grad(each, parameters, retain_graph=True)
            for total, gradient in zip(sums, gradients, strict=True):
                total += each.detach().exp() * gradient.square()
    with torch.no_grad():
        for k, (weight, total) in enumerate(zip(parameters, sums, strict=True)):
            most = 100.0 if k >= len(parameters) - 2 else 1000.0
            variance = 1e-6 * (1 / (total / len(request.retain) + 1e-8)).clamp(max=most)
            variance = 10 * variance if weight.ndim == 1 else variance.mean(dim=1, keepdim=True)
            weight.add_(variance.sqrt() * torch.randn_like(weight))


def influence(request: Request) -> None:
    """Step along the difference of the gradients of both sets, that of the retain set in batches of 256."""
    network, x, y, n = request.network, request.x, request.y, len(request.retain)
    parameters = list(network.parameters())
    kept = [torch.zeros_like(each) for each in parameters]
    for rows in torch.split(request.retain, 256):
        gradients = torch.autograd.grad(cross_entropy(network(x[rows]), y[rows]), parameters)
        for total, gradient in zip(kept, gradients, strict=True):
            total += len(rows) / n * gradient
    gone = torch.autograd.grad(cross_entropy(network(x[request.forget]), y[request.forget]), parameters)
    share = len(request.forget) / (n + len(request.forget))
    with torch.no_grad():
        for weight, up, down in zip(parameters, gone, kept, strict=True):
            weight.add_(up - down, alpha=0.2 * share)
