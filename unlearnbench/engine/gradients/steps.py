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
        self, networks: Networks, terms: Sequence[Term], batches: Sequence[Ids], number: int, done: float
    ) -> None:
        """Take the batches (networks, B) of each term and then those beside, the pass's number, and its share done."""
        self.done = done
        """The share of the pass's steps that are done."""
        self._networks, self._terms, self._batches, self._number = networks, terms, batches, number

    def descend(self) -> None:
        """Add the gradients of all terms to those of the parameters."""
        for k in range(len(self._terms)):  # each by itself: a batch moves the statistics of the next
            if self.has(k):
                losses = self._losses(k)
                losses.backward(self._shares(k, losses))  # type: ignore[no-untyped-call]  # torch has no type for it

    def move_along(self, gradient: Sequence[torch.Tensor]) -> None:
        """Make ``gradient`` that of the trainable parameters."""
        for parameter, values in zip(self._networks.trainable, gradient, strict=True):
            parameter.grad = values.detach().clone()

    @property
    def context(self) -> Any:
        """What :meth:`GradientUnlearner.context` returned for this deletion."""
        return self._networks.jobs[0].context

    def has(self, term: int) -> bool:
        """Return whether a term has records in this step, and beside them where it asks for it."""
        beside = self._beside(term)
        return self._batches[term].size > 0 and (beside is None or beside.size > 0)

    def of(self, term: int) -> list[torch.Tensor]:
        """Return the gradient of a term's mean loss, times its weight; the term must have records."""
        losses = self._losses(term)
        return self._gradient(losses, self._shares(term, losses))

    def by_record(self, term: int) -> list[torch.Tensor]:
        """Return the gradients (n, ...) of the losses of a term's n records, times its weight."""
        import torch

        losses = self._terms[term].weight * self._losses(term)
        return self._gradient(losses, torch.eye(len(losses), device=losses.device), batched=True)

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

    def _gradient(self, values: torch.Tensor, weights: torch.Tensor, batched: bool = False) -> list[torch.Tensor]:
        """Return the gradient of the sum of values (n,) times weights (n,), or ``batched`` of those of each row."""
        import torch

        trainable = self._networks.trainable
        return list(torch.autograd.grad(values, trainable, weights, is_grads_batched=batched, materialize_grads=True))

    def _shares(self, term: int, losses: torch.Tensor) -> torch.Tensor:
        """Return the share of each loss in the mean of its network, times the term's weight."""
        import torch

        records = losses.numel() // self._filled(term)
        return torch.full_like(losses, self._terms[term].weight).div_(records)

    def _losses(self, term: int) -> torch.Tensor:
        import torch

        filled = self._filled(term)
        with torch.no_grad():
            beside = None if (ids := self._beside(term)) is None else self._batch(ids[:filled])
        batch = self._batch(self._batches[term][:filled])
        if beside is not None:
            batch.beside = beside
        return self._terms[term].loss(batch)

    def _filled(self, term: int) -> int:
        """Return of how many networks the losses of a term are computed, copies included."""
        beside = self._beside(term)
        return self._networks.filled([each.shape[1] for each in (self._batches[term], beside) if each is not None])

    def _beside(self, term: int) -> Ids | None:
        """Return the batches beside those of a term, which follow those of all terms."""
        earlier = sum(each.beside is not None for each in self._terms[:term])
        return self._batches[len(self._terms) + earlier] if self._terms[term].beside else None

    def _batch(self, ids: Ids) -> Batch:
        networks = self._networks
        logits = networks.logits(ids, self._number).float()
        return Batch(logits, ids, networks.jobs[: len(ids)], networks.tables, self._number, networks)
