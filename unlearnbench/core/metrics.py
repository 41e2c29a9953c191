"""The contract of metrics: they get scores and membership and return estimates."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.arrays import ReadOnlyArrays
from unlearnbench.core.estimates import Estimate
from unlearnbench.core.observations import balanced
from unlearnbench.core.references import ReferenceAnswers
from unlearnbench.core.scenarios import Role


@dataclass(frozen=True, eq=False)
class Utility(ReadOnlyArrays):
    """Accuracy, cost, outcome and privacy loss of the models, one entry per (original, request), each (m,).

    Accuracies are shares in [0, 1]. But for those of what a request deletes they leave canaries out.
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
    forget_accuracy_original: NDArray[np.float64]
    """On the records of the training set that the request deletes; NaN where there are none."""
    forget_accuracy_unlearned: NDArray[np.float64]
    """On the same records."""
    seconds_to_train: NDArray[np.float64]
    """Wall time to train the original."""
    seconds_to_unlearn: NDArray[np.float64]
    """Wall time to serve the request."""
    passes: NDArray[np.float64]
    """Record passes, forward and backward, over those of a retraining; NaN where nobody counted."""
    collapsed: NDArray[np.bool_]
    """Has the unlearned model lost most of what it knew of the retain set."""
    unmoved: NDArray[np.bool_]
    """Is it the original, though the request deletes a record."""
    epsilon: NDArray[np.float64]
    """Privacy loss of the original; infinite where it was trained without differential privacy."""
    relearned: NDArray[np.float64]
    """After how many epochs over the deleted records the unlearned model knows them again; NaN where nobody tried."""
    memory_to_unlearn: NDArray[np.float64]
    """Bytes held at the peak of serving all requests of the original, over those before; NaN where nobody measured."""


@dataclass(frozen=True, eq=False)
class ReleasedUtility(ReadOnlyArrays):
    """How good the released posteriors of unlearned models are on random unseen records that are no canaries.

    One entry per (original, request), each (m,); empty where a request queries no such record.
    """

    episode: NDArray[np.int64]
    """The original."""
    accuracy: NDArray[np.float64]
    """Share of records whose most probable class is the true one."""
    log_loss: NDArray[np.float64]
    """Mean of minus the log-posterior of the true class (natural logarithm)."""
    calibration_error: NDArray[np.float64]
    """Expected calibration error over all requests of the original, the same for each of them."""


@dataclass(frozen=True, eq=False)
class ScoredRows(ReadOnlyArrays):
    """Some target rows of a cell in the form that the statistics take, each (k,)."""

    scores: NDArray[np.float64]
    """Of the attack."""
    baseline: NDArray[np.float64]
    """Of the attack's classical baseline."""
    positive: NDArray[np.bool_]
    """Is the record one of those that the attack has to find: for most metrics, was it deleted."""
    cluster: NDArray[np.int64]
    """The original model."""
    record: NDArray[np.int64]
    """Id of the record, the same in each request that queries it."""


@dataclass(frozen=True, eq=False)
class ScoredCell(ReadOnlyArrays):
    """All that the metrics of one cell are computed from. Posteriors are not part of it."""

    scores: NDArray[np.float64]
    """The attack's scores of the target rows (n,); higher means deleted."""
    baseline: NDArray[np.float64]
    """Scores of the same rows (n,) by the attack's classical baseline."""
    role: NDArray[np.int8]
    """A :class:`Role` (n,)."""
    position: NDArray[np.int64]
    """Index among the rows of the same request and role (n,)."""
    episode: NDArray[np.int64]
    """Number of the original model (n,)."""
    request: NDArray[np.int64]
    """Number of the request (n,), counted within the episode."""
    record: NDArray[np.int64]
    """Id of the record (n,)."""
    label: NDArray[np.int64]
    """The true class (n,)."""
    unchanged: NDArray[np.bool_]
    """Were the released posteriors of the last unlearned version bitwise those of the original (n,)."""
    positive: Role
    """Role of the deleted records."""
    negative: Role
    """Role of the records that the attack has to tell them from."""
    shadow_scores: NDArray[np.float64]
    """Scores of the balanced shadow rows (m,), each by an attack fitted without that row's original: to fix thresholds
    on. Empty where there is one shadow original, or where the attack cannot score shadow rows."""
    shadow_deleted: NDArray[np.bool_]
    """Which of the shadow rows (m,) were deleted."""
    shadow_fold: NDArray[np.int64]
    """The fold (m,) of each shadow row's original; an attack fitted without the fold has scored it."""
    folds: NDArray[np.float32]
    """The attack's scores of the target rows (k, n), fitted without each fold; (0, n) where it learns nothing."""
    baseline_folds: NDArray[np.float32]
    """The same of the baseline (k, n) or (0, n)."""
    probabilistic: bool
    """Are the scores probabilities."""
    baseline_probabilistic: bool
    """Are the baseline's scores probabilities."""
    utility: Utility
    released: ReleasedUtility
    divergence: NDArray[np.float64]
    """Mean Jensen-Shannon divergence of the released posteriors from those of :attr:`retrained`, base 2, (2, m) in the
    order of ``utility``: over deleted records, over random unseen ones. (2, 0) where a request queries none of them,
    or where ``retrained`` is None."""
    references: ReferenceAnswers | None = None
    """What reference models answer about the records (n,) of the target rows, as many as the metrics of the suite
    declare by :attr:`Metric.reads_references`. None where they declare none, or the suite's adversary has fewer."""
    value_only: bool = False
    """Is only the value of each number needed: all rows are of one cluster and record then, and intervals are not
    computed."""
    retrained: ScoredCell | None = None
    """The cell of the same data set, model, scenario, defense, attack and seed that retrains, itself for a cell that
    does. None where no metric of the suite declares :attr:`Metric.reads_retrained`."""

    def take(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> ScoredCell:
        """Return the cell with the chosen target rows, in the order given."""
        chosen = {name: getattr(self, name)[rows] for name in _ROW_FIELDS}
        chosen |= {name: getattr(self, name)[:, rows] for name in ("folds", "baseline_folds")}
        return replace(self, **chosen, references=self.references.take(rows) if self.references else None)

    def without_each_fold(self) -> list[ScoredCell]:
        """Return the cell as it would be without each fold of shadow originals, to compute values only.

        All scores are rounded as those without a fold are, so that a score exceeds a threshold if it did before.
        Empty for one shadow original.
        """
        none = np.empty((0, len(self.scores)), dtype=np.float32)
        folds: list[int] = np.unique(self.shadow_fold).tolist() if len(self.shadow_scores) else []
        others = self.retrained.without_each_fold() if self.retrained else []
        return [
            replace(
                self,
                scores=_rounded(self.folds[k] if len(self.folds) else self.scores),
                baseline=_rounded(self.baseline_folds[k] if len(self.baseline_folds) else self.baseline),
                shadow_scores=_rounded(self.shadow_scores[self.shadow_fold != k]),
                shadow_deleted=self.shadow_deleted[self.shadow_fold != k],
                shadow_fold=self.shadow_fold[self.shadow_fold != k],
                folds=none,
                baseline_folds=none,
                value_only=True,
                retrained=others[k] if k < len(others) else self.retrained,
            )
            for k in folds
        ]

    def halves(self) -> tuple[ScoredCell, ScoredCell]:
        """Return target rows of every second original, and of the others: ten of a request and role are enough."""
        _, number = np.unique(self.episode, return_inverse=True)
        number = np.where(self.position < ROWS_PER_HALF, number % 2, -1)
        other = self.retrained.halves() if self.retrained else (None, None)
        first, second = (replace(self.take(number == k), retrained=other[k]) for k in (0, 1))
        return first, second

    def has_role(self, *roles: Role) -> NDArray[np.bool_]:
        """Return which rows (n,) have one of these roles."""
        return np.isin(self.role, roles)

    def against(self, negative: Role) -> ScoredRows:
        """Return the deleted rows and those of one other role."""
        return self.between([self.positive], [negative])

    def between(self, positive: Sequence[Role], negative: Sequence[Role]) -> ScoredRows:
        """Return the rows of these roles; those of the first ones are the positives."""
        return self._rows(self.has_role(*positive, *negative), positive)

    def paired(self) -> ScoredRows:
        """Return every deleted row and as many first negatives of its request: what DegCount and DegRate compare."""
        rows = self.role, self.position, self.episode, self.request
        return self._rows(balanced(*rows, self.positive, self.negative), [self.positive])

    def _rows(self, chosen: NDArray[np.bool_], positive: Sequence[Role]) -> ScoredRows:
        episode, record = self.episode[chosen], self.record[chosen]
        if self.value_only:
            episode = record = np.zeros_like(episode)
        return ScoredRows(self.scores[chosen], self.baseline[chosen], self.has_role(*positive)[chosen], episode, record)


def single_precision(scores: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return scores in single precision, the largest number in place of one that is too large for it."""
    largest = np.finfo(np.float32).max
    return np.clip(scores, -largest, largest).astype(np.float32)


def _rounded(scores: NDArray[np.float64] | NDArray[np.float32]) -> NDArray[np.float64]:
    return single_precision(np.asarray(scores, dtype=np.float64)).astype(np.float64)


ROWS_PER_HALF = 10
"""How many rows of a request and role are in a half; more would take time and add little."""
_ROW_FIELDS = ("scores", "baseline", "role", "position", "episode", "request", "record", "label", "unchanged")


class Metric(ABC):
    """One or several numbers about one cell, computed from scores and membership, without access to the attack."""

    reads_retrained: ClassVar[bool] = False
    """Does it read :attr:`ScoredCell.retrained`. The results of a suite with such a metric depend on retraining too."""

    reads_scores: ClassVar[bool] = True
    """Does it read scores of an attack. One that does not is the same for every adversary."""

    @property
    def reads_references(self) -> int:
        """The number of reference models whose answers it reads in :attr:`ScoredCell.references`; by default none."""
        return 0

    @property
    def relearns(self) -> int:
        """For how many epochs models learn deleted records again, for :attr:`Utility.relearned`; by default none."""
        return 0

    @abstractmethod
    def measure(self, cell: ScoredCell) -> Mapping[str, Estimate]:
        """Return the estimates by name, such as ``{"auc": ..., "auc-matched": ...}``."""
