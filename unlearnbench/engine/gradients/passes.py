"""What a gradient method is: passes over records, each with its loss, in stages of one optimizer each."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import torch

    from unlearnbench.engine.gradients.batch import Batch
    from unlearnbench.engine.gradients.steps import StepGradients
    from unlearnbench.engine.networks.modules import HasModule
    from unlearnbench.engine.unlearners import Deletion

Over = Literal["retain", "forget", "both", "made", "validation"]
"""The records of a term: those that stay, those that go, both in random order, those that the method makes, or those
for validation."""
Loss = Callable[["Batch"], "torch.Tensor"]
"""Returns the loss (n,) of each record of a batch, in nats. A batch may be that of many networks, one behind the other:
records are mixed only by its ``mean`` and ``by_network``."""
Rate = Callable[[float], float]
"""Returns the factor of the learning rate, from the share of the pass's steps that are done."""
StepRule = Callable[["StepGradients"], Iterable[Sequence["torch.Tensor"]]]
"""Yields a gradient by each trainable parameter for each step of the optimizer, most often one."""
Edit = Callable[["torch.nn.Module", "Deletion"], None]
"""Changes a network in place, for one deletion; ``requires_grad_(False)`` freezes a parameter."""
Measure = Callable[["HasModule", Any], "float | None"]
"""Returns a number for ``batch.measured``, from the network and ``GradientUnlearner.context``; None ends training."""
Penalty = Callable[["torch.Tensor", "torch.Tensor"], "torch.Tensor"]
"""Returns what is added to the gradient of a parameter, number by number, from its value and its value at the start."""


def cross_entropy(batch: Batch) -> torch.Tensor:
    """Return the cross-entropy (n,) of the true labels, in nats."""
    return batch.cross_entropy(batch.labels)


def cosine(done: float, least: float = 0.0) -> float:
    """Return the factor of a learning rate that falls from 1 to `least` as half a cosine (Loshchilov, Hutter 2017)."""
    return least + (1 - least) * (1 + math.cos(math.pi * done)) / 2


@dataclass(frozen=True)
class Term:
    """The mean loss of a batch of one kind of records, times ``weight``."""

    over: Over
    loss: Loss = cross_entropy
    weight: float = 1.0
    """Negative to climb."""
    batch_size: int = 64
    share: float = 1.0
    """The share of the retain set that is used: a sample, drawn once for all passes and rounded down."""
    with_made: bool = False
    """Whether the records that the method makes are among them, in random order."""
    every: int = 1
    """Of a further term: it is part of the first step of a pass, and of each so-many-th after it."""
    beside: Over | None = None
    """Records of which a batch goes beside each of the term's, forward only, for ``batch.beside``."""


@dataclass(frozen=True)
class Pass:
    """One pass over the records of the first term; every batch is one step on the sum of all terms.

    The records of a term are shuffled by a draw keyed by (seed of the version, pass, record). A further term goes over
    its own records beside the first, as often as it takes, in a new order each time.
    """

    terms: Sequence[Term]
    rate: float | Rate = 1.0
    """Factor of the optimizer's learning rate."""
    penalty: Penalty | None = None
    snapshot: bool = False
    """Whether the network as it is before this pass is kept for :meth:`GradientUnlearner.finish`."""
    cycles: int = 1
    """How often it goes over the records of the first term, in a new order each time."""
    step: StepRule | None = None
    """What a step moves along, where that is not the gradient of the sum of its terms."""
    measure: Measure | None = None
    """What is measured of the network before this pass."""
    edit: Edit | None = None
    """A change of the network before this pass."""
    optimizer: Optimizer | None = None
    """Another one than the stage's. It too keeps its moments from pass to pass of the stage."""
    part: float = 1.0
    """The share of the steps that are taken, the first ones, rounded down."""

    @property
    def alone(self) -> bool:
        """Whether it trains one network at a time, since what it does depends on that network."""
        return self.step is not None or self.measure is not None or self.edit is not None

    @property
    def read(self) -> list[Term]:
        """The terms, and behind them, in their order, those of the records beside them."""
        beside = [replace(term, over=term.beside, beside=None) for term in self.terms if term.beside]
        return [*self.terms, *beside]

    def rate_at(self, done: float) -> float:
        """Return the factor of the learning rate where this share of the steps is done."""
        return self.rate(done) if callable(self.rate) else self.rate


@dataclass(frozen=True)
class Stage:
    """Passes with one optimizer, which starts without moments."""

    optimizer: Optimizer
    passes: Sequence[Pass]


@dataclass(frozen=True)
class Optimizer:
    """An optimizer of torch."""

    learning_rate: float
    name: Literal["sgd", "adam", "adamw"] = "sgd"
    momentum: float = 0.0
    """Of ``sgd``."""
    weight_decay: float = 0.0
    """The L2 factor; of ``adamw`` the decoupled one."""

    def make(self, parameters: Iterable[torch.Tensor]) -> torch.optim.Optimizer:
        """Return a new optimizer; each number of the parameters is treated by itself."""
        import torch

        if self.name == "sgd":
            return torch.optim.SGD(
                parameters, lr=self.learning_rate, momentum=self.momentum, weight_decay=self.weight_decay
            )
        kind = torch.optim.Adam if self.name == "adam" else torch.optim.AdamW
        return kind(parameters, lr=self.learning_rate, weight_decay=self.weight_decay)
