"""The gradients of one step, of which a method's own rule makes what the optimizer moves along."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from unlearnbench.engine.gradients.batch import Batch
from unlearnbench.engine.gradients.jobs import Ids
from unlearnbench.engine.gradients.networks import Networks
from unlearnbench.engine.gradients.passes import Term

if TYPE_CHECKING:
    import torch


class StepGradients:
    """The gradients of the terms of one step, by each trainable parameter, at the weights as they are when asked.

    What asks for the gradient of a single network, ``of`` and below, is for passes with a rule of their own.
    """

    def __init__(
        self, networks: Networks, terms: Sequence[Term], batches: Sequence[Sequence[Ids]], number: int, done: float
    ) -> None:
        """Take for each term the batch of each network, the number of the pass, and the share of its steps done."""
        self.done = done
        """The share of the pass's steps that are done."""
        self._networks, self._terms, self._batches, self._number = networks, terms, batches, number

    def descend(self) -> None:
        """Make the gradient of the sum of all terms that of the parameters."""
        import torch

        losses = [self._means(k).sum() for k in range(len(self._terms)) if self.has(k)]
        torch.stack(losses).sum().backward()  # type: ignore[no-untyped-call]  # torch has no type for it

    def move_along(self, gradient: Sequence[torch.Tensor]) -> None:
        """Make ``gradient`` that of the trainable parameters."""
        for parameter, values in zip(self._networks.trainable, gradient, strict=True):
            parameter.grad = values.detach().clone()

    @property
    def context(self) -> Any:
        """What :meth:`GradientUnlearner.context` returned for this deletion."""
        return self._networks.jobs[0].context

    def has(self, term: int) -> bool:
        """Return whether a term has records in this step."""
        return len(self._batches[term][0]) > 0

    def of(self, term: int) -> list[torch.Tensor]:
        """Return the gradient of a term's mean loss, times its weight; the term must have records."""
        return self._gradient(self._means(term).sum())

    def by_record(self, term: int) -> list[torch.Tensor]:
        """Return the gradients (n, ...) of the losses of a term's n records, times its weight."""
        import torch

        losses = self._terms[term].weight * self._losses(term)
        return self._gradient(losses, torch.eye(len(losses), device=losses.device))

    @contextmanager
    def moved(self, by: Sequence[torch.Tensor]) -> Iterator[None]:
        """Within this context, the trainable parameters are moved by so much; then they are as before, to the bit."""
        import torch

        before = [parameter.detach().clone() for parameter in self._networks.trainable]
        with torch.no_grad():
            torch._foreach_add_(self._networks.trainable, list(by))
        try:
            yield
        finally:
            with torch.no_grad():
                torch._foreach_copy_(self._networks.trainable, before)

    def _gradient(self, values: torch.Tensor, weights: torch.Tensor | None = None) -> list[torch.Tensor]:
        import torch

        return list(
            torch.autograd.grad(
                values, self._networks.trainable, weights, is_grads_batched=weights is not None, materialize_grads=True
            )
        )

    def _means(self, term: int) -> torch.Tensor:
        """Return the mean loss of each network, times the term's weight."""
        means = self._losses(term).reshape(len(self._batches[term]), -1).mean(dim=1)
        return self._terms[term].weight * means

    def _losses(self, term: int) -> torch.Tensor:
        networks, ids = self._networks, self._batches[term]
        logits = networks.logits(ids, self._number).float()
        return self._terms[term].loss(Batch(logits, ids, networks.jobs, networks.tables, self._number, networks))
