"""What a gradient method is: passes over records, each with its loss, in stages of one optimizer each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import torch

    from unlearnbench.engine.gradients.batch import Batch

Over = Literal["retain", "forget", "both"]
"""The records of a pass: those that stay, those that go, or all of them in random order."""
Loss = Callable[["Batch"], "torch.Tensor"]
"""Returns the loss (n,) of each record of a batch, in nats. It must not mix records: a batch may be that of many
networks, one behind the other."""
Penalty = Callable[["torch.Tensor", "torch.Tensor"], "torch.Tensor"]
"""Returns what is added to the gradient of a parameter, number by number, from its value and its value at the start."""


def cross_entropy(batch: Batch) -> torch.Tensor:
    """Return the cross-entropy (n,) of the true labels, in nats."""
    return batch.cross_entropy(batch.labels)


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


@dataclass(frozen=True)
class Pass:
    """One pass over the records of the first term; every batch is one step on the sum of all terms.

    The records of a term are shuffled by a draw keyed by (seed of the version, pass, record). A further term goes over
    its own records beside the first, as often as it takes, in a new order each time.
    """

    terms: Sequence[Term]
    rate: float = 1.0
    """Factor of the optimizer's learning rate."""
    penalty: Penalty | None = None
    snapshot: bool = False
    """Whether the network as it is before this pass is kept for :meth:`GradientUnlearner.finish`."""


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
