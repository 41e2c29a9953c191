"""Querying many models on the same records, each constituent once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.models import Fitted
from unlearnbench.core.posteriors import log_mean
from unlearnbench.engine.banks import Member


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Several models that answer with the weighted mean of their posteriors."""

    parts: tuple[Fitted, ...]
    """The models."""
    weights: tuple[float, ...]
    """Their weights, positive; they need not sum to 1."""

    def combine(self, answers: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        """Return the log of the mean posterior of the parts' ``answers``, each (n, C)."""
        return log_mean(np.stack(answers), self.weights)

    def log_posteriors(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the ensemble's log-posteriors (n, C)."""
        return self.combine([part.log_posteriors(x) for part in self.parts])


def query(models: Sequence[Fitted], x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the log-posteriors (len(models), n, C) of all models on ``x``.

    Models and constituents that occur several times, such as the shards that a request did not change, are queried
    once, and those of one bank together.
    """
    answers = _query_each({id(part): part for model in models for part in _parts(model)}.values(), x)

    def answer(model: Fitted) -> NDArray[np.float64]:
        if isinstance(model, Ensemble):
            return model.combine([answer(part) for part in model.parts])
        return answers[id(model)]

    return np.stack([answer(model) for model in models])


def _parts(model: Fitted) -> Iterator[Fitted]:
    """Yield the models that an ensemble, or an ensemble of ensembles, is made of."""
    if isinstance(model, Ensemble):
        for part in model.parts:
            yield from _parts(part)
    else:
        yield model


def _query_each(models: Iterable[Fitted], x: NDArray[np.float64]) -> dict[int, NDArray[np.float64]]:
    """Return each model's answer (n, C) by the model's identity."""
    banks: dict[int, list[Member]] = {}
    answers = {}
    for model in models:
        if isinstance(model, Member):
            banks.setdefault(id(model.bank), []).append(model)
        else:
            answers[id(model)] = model.log_posteriors(x)
    for members in banks.values():
        which = np.array([member.index for member in members])
        together = members[0].bank.log_posteriors(x, which)
        answers.update(zip(map(id, members), together, strict=True))
    return answers
