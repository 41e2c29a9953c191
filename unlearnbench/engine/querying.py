"""Querying many models on the same records, each constituent once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.models import Fitted
from unlearnbench.core.posteriors import fault_of, log_mean
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


def query(models: Sequence[Fitted], x: NDArray[np.float64], n_classes: int) -> NDArray[np.float64]:
    """Return the log-posteriors (len(models), n, n_classes) of all models on ``x``; ValueError where one gives none.

    Models and constituents that occur several times, such as the shards that a request did not change, are queried
    once, and those of one bank together.
    """
    answers = _query_each({id(part): part for model in models for part in _parts(model)}.values(), x)
    shape = (len(x), n_classes)

    def answer(model: Fitted) -> NDArray[np.float64]:
        if isinstance(model, Ensemble):
            return _checked(model.combine([answer(part) for part in model.parts]), shape)
        return _checked(answers[id(model)], shape)

    return np.stack([answer(model) for model in models])


def _checked(answer: NDArray[np.float64], shape: tuple[int, int]) -> NDArray[np.float64]:
    if fault := fault_of(answer, shape):
        raise ValueError(f"a model must answer with log-posteriors {shape}, but {fault}")
    return np.asarray(answer, dtype=np.float64)


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
            # Copies: one model may compute in its argument, another may answer with an array that it uses again.
            answers[id(model)] = np.array(model.log_posteriors(x.copy()))
    for members in banks.values():
        which = np.array([member.index for member in members])
        together = members[0].bank.log_posteriors(x, which)
        answers.update(zip(map(id, members), together, strict=True))
    return answers
