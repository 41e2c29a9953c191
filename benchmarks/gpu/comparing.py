"""Two ways to the same answers: how long each takes, and how far apart the answers are."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.models import Fitted

Answers = NDArray[np.float64]
"""Log-posteriors (networks, records, classes)."""
T = TypeVar("T")


@dataclass(frozen=True)
class Way(Generic[T]):
    """A way to make something."""

    make: Callable[[], T]
    networks: int
    """How many networks one call makes or asks."""


@dataclass(frozen=True)
class Row:
    """One way beside another."""

    first_s: float
    """Seconds a network of the first way."""
    second_s: float
    """Seconds a network of the second way."""
    difference: float
    """The largest difference of two posteriors."""
    equal: float
    """The share of records of which both ways decide for the same class."""
    repeats: bool
    """Whether the first way, taken twice, gives the same to the bit."""


def compare(first: Way[T], second: Way[T], answers: Callable[[T], Answers]) -> Row:
    """Take the first way twice, then the second twice; the second call of each is timed.

    ``answers`` is not timed. Where one way makes more networks, those that only it makes are not compared.
    """
    before, after, first_s = _twice(first, answers)
    _, other, second_s = _twice(second, answers)
    both = min(len(after), len(other))
    after_p, other_p = np.exp(after[:both]), np.exp(other[:both])
    return Row(
        first_s=first_s,
        second_s=second_s,
        difference=float(np.abs(after_p - other_p).max()),
        equal=float((after_p.argmax(axis=-1) == other_p.argmax(axis=-1)).mean()),
        repeats=np.array_equal(before, after),
    )


def ask(x: NDArray[np.float64]) -> Callable[[Sequence[Fitted]], Answers]:
    """Return what asks models about records (n, ...)."""
    return lambda models: np.stack([model.log_posteriors(x) for model in models])


def _twice(way: Way[T], answers: Callable[[T], Answers]) -> tuple[Answers, Answers, float]:
    """Return the answers of two calls and the seconds a network of the second; the first compiles and loads."""
    before = answers(way.make())
    _wait()
    start = time.perf_counter()
    made = way.make()
    _wait()
    seconds = (time.perf_counter() - start) / way.networks
    return before, answers(made), seconds


def _wait() -> None:
    """Wait until a GPU has done what it was told."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.synchronize()
