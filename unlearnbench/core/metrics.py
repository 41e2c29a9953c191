"""The contract of metrics: they get scores and membership and return estimates."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.estimates import Estimate
from unlearnbench.core.observations import Observations
from unlearnbench.core.scenarios import Role


@dataclass(frozen=True, eq=False)
class Utility:
    """Accuracy, time and privacy loss of the models, one entry per (original, request), each (m,).

    Accuracies are shares in [0, 1].
    """

    episode: NDArray[np.int64]
    """The original."""
    train_accuracy_original: NDArray[np.float64]
    """On the training set."""
    test_accuracy_original: NDArray[np.float64]
    """On records that no model of this side was trained on."""
    train_accuracy_unlearned: NDArray[np.float64]
    """On the retain set."""
    test_accuracy_unlearned: NDArray[np.float64]
    """On records that no model of this side was trained on."""
    seconds_to_train: NDArray[np.float64]
    """Wall time to train the original."""
    seconds_to_unlearn: NDArray[np.float64]
    """Wall time to serve the request."""
    epsilon: NDArray[np.float64]
    """Privacy loss of the original; infinite where it was trained without differential privacy."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows of a game in the form that the statistics take, each (k,)."""

    scores: NDArray[np.float64]
    """Of the attack."""
    baseline: NDArray[np.float64]
    """Scores of the attack's classical baseline."""
    positive: NDArray[np.bool_]
    """Was the record deleted."""
    cluster: NDArray[np.int64]
    """The original model."""
    record: NDArray[np.int64]
    """Id of the record, the same in each request that queries it."""


@dataclass(frozen=True, eq=False)
class Scored:
    """One cell, ready to be measured.

    observations: the target rows as released · scores (n,): the attack's, row by row · positive, negative: the roles
    of the game · baseline (n,): scores of the attack's classical baseline · shadow_scores, shadow_deleted (m,):
    scores of balanced shadow rows, each by an attack fitted without that row's original, to fix thresholds on ·
    probabilistic, baseline_probabilistic: are the scores probabilities.
    """

    observations: Observations
    scores: NDArray[np.float64]
    positive: Role
    negative: Role
    baseline: NDArray[np.float64]
    shadow_scores: NDArray[np.float64]
    shadow_deleted: NDArray[np.bool_]
    probabilistic: bool
    baseline_probabilistic: bool
    utility: Utility

    def rows(self, *roles: Role) -> NDArray[np.bool_]:
        """Return which rows (n,) have one of these roles."""
        return np.isin(self.observations.role, roles)

    def against(self, negative: Role) -> Rows:
        """Return the rows of the game against one role."""
        return self._rows(self.rows(self.positive, negative))

    def paired(self) -> Rows:
        """Return the rows of the balanced game that DegCount and DegRate are defined on."""
        return self._rows(self.observations.paired(self.positive, self.negative))

    def _rows(self, chosen: NDArray[np.bool_]) -> Rows:
        seen = self.observations
        return Rows(
            self.scores[chosen],
            self.baseline[chosen],
            seen.role[chosen] == self.positive,
            seen.episode[chosen],
            seen.record[chosen],
        )


class Metric(ABC):
    """One or several numbers about one cell, computed from scores and membership, without access to the attack."""

    @abstractmethod
    def measure(self, scored: Scored) -> Mapping[str, Estimate]:
        """Return the estimates by name, such as ``{"auc": ..., "auc-matched": ...}``."""
