"""Nearest neighbours: the training records are the model, so that a deletion moves its neighbours and nobody else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import PositiveFloat, PositiveInt
from unlearnbench import FitTask, Fitted, TargetModel, UserError, log_of


@dataclass(frozen=True)
class NearestNeighbours(TargetModel):
    """p(c|x) = (votes for c among the ``k`` nearest + ``smoothing``) / (k + C ``smoothing``), C classes.

    Distances are Euclidean on features divided by their deviations in the original's training set: if an unlearned
    model took its own, every record would move, not the deleted one alone. Ties go to the record that was trained on
    first. With fewer than ``k`` records, all vote. ``smoothing`` is what every class has to begin with. Source: Cover
    and Hart 1967.
    """

    k: PositiveInt = 5
    smoothing: PositiveFloat = 0.1
    seeds_used: ClassVar = frozenset()

    def fit(self, task: FitTask, device: str) -> Fitted:
        """Keep the training records, scaled."""
        if not len(task.data):
            raise UserError("voting-neighbours has no record left to vote: delete fewer")
        deviation = flat(task.data.original.x).std(axis=0)
        scale = np.where(deviation > 0, deviation, 1)
        votes = np.eye(task.data.n_classes)[task.data.y]
        return Neighbours(flat(task.data.x) / scale, votes, scale, self.k, self.smoothing)


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Scaled training records (m, d) and their votes (m, C)."""

    x: NDArray[np.float64]
    votes: NDArray[np.float64]
    scale: NDArray[np.float64]
    k: int
    smoothing: float

    def log_posteriors(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return log-posteriors (n, C)."""
        from scipy.spatial.distance import cdist

        nearest = np.argsort(cdist(flat(x) / self.scale, self.x), axis=1, kind="stable")[:, : self.k]
        counts = self.votes[nearest].sum(axis=1) + self.smoothing
        return log_of(counts / counts.sum(axis=1, keepdims=True))


def flat(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return records of any shape (n, ...) as rows (n, d)."""
    return x.reshape(len(x), int(np.prod(x.shape[1:])))
