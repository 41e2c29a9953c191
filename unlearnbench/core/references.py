"""Answers of reference models: models that the adversary trained with and without each queried record."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.arrays import ReadOnlyArrays


class ReferenceStatus(IntEnum):
    """What a reference model did with a record. The first coin flip says out or in, the second in or unlearned."""

    OUT = 0
    """Never trained on it."""
    IN = 1
    """Trained on it and still has it."""
    UNLEARNED = 2
    """Trained on it and was asked to delete it."""


@dataclass(frozen=True, eq=False)
class ReferenceAnswers(ReadOnlyArrays):
    """What N reference models answer about the n rows of a view.

    Each is a pair of models, as the target is: an original and what unlearning made of it. Who is in a training set and
    who is deleted was decided by fair coin flips of the adversary's, record by record and model by model, which have
    nothing to do with the target's training set. The same record has the same answers in every request.
    """

    before: NDArray[np.float64]
    """Log-posteriors (n, N, C) of the originals; (n, N, 0) where the needs do not declare the original model."""
    after: NDArray[np.float64]
    """Log-posteriors (n, N, C) after unlearning; (n, N, 0) where the needs do not declare the unlearned models."""
    status: NDArray[np.int8]
    """A :class:`ReferenceStatus` (n, N)."""
