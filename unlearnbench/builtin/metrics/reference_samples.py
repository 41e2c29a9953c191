"""Answers about deleted records by reference models that have deleted them, and by those that never held them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from unlearnbench.core.estimates import Estimate, Scale
from unlearnbench.core.metrics import Metric, ScoredCell
from unlearnbench.core.references import ReferenceAnswers
from unlearnbench.core.scenarios import Role
from unlearnbench.stats.crossed import crossed_mean, left_out

Numbers = NDArray[np.float64]

Models = Annotated[int, Field(ge=8, multiple_of=2)]
"""A number of reference models: half of them hold any one record."""
NO_RETRAINING: Final = "there is no retrained model to compare with"
NO_RECORDS: Final = "no deleted record is queried"


@dataclass(frozen=True)
class ReferenceMetric(Metric):
    """A metric that compares reference models of the cell with those of retraining, and reads no scores."""

    references: Models = 64

    reads_scores: ClassVar[bool] = False
    reads_retrained: ClassVar[bool] = True

    @property
    def reads_references(self) -> int:
        """As many as the parameter says."""
        return self.references


@dataclass(frozen=True, eq=False)
class ReferenceSamples:
    """Log-odds of the true class (r, N / 2) of r distinct deleted records, by N reference models."""

    unlearned: Numbers
    """Models that held the record and have deleted it by the unlearner of the cell, by pair of models."""
    retrained: Numbers
    """The same models, where they have deleted it by retraining."""
    without: Numbers
    """The other models, which never held the record and have deleted others by retraining. How ``retrained`` differs
    from them is chance: a perfect unlearner differs as much."""

    def mean(self, number: Callable[[ReferenceSamples], Numbers], scale: Scale) -> Estimate:
        """Return the mean of a number of each record (r,), with an interval over records and models.

        Of two models one has held a record and the other has not, which one by a coin for each record: such pairs are
        what is drawn independently, and what is left out in turn.
        """
        return crossed_mean(number(self), [number(part) for part in self._without_each_group()], scale)

    def _without_each_group(self) -> Iterator[ReferenceSamples]:
        for kept in left_out(self.unlearned.shape[1]):
            yield ReferenceSamples(self.unlearned[:, kept], self.retrained[:, kept], self.without[:, kept])


def reference_samples(cell: ScoredCell, models: int) -> ReferenceSamples | str:
    """Return the samples by the first reference models, or why there are none."""
    if cell.retrained is None:
        return NO_RETRAINING
    own, retrained = (_of_deleted(one, models) for one in (cell, cell.retrained))
    if own is None or retrained is None:
        return f"needs {models} reference models; the suite's adversary offers fewer"
    if not len(own.member):
        return NO_RECORDS
    return ReferenceSamples(
        _chosen(own.after, own.member),
        _chosen(retrained.after, retrained.member),
        _chosen(retrained.after, ~retrained.member),
    )


def _of_deleted(cell: ScoredCell, models: int) -> ReferenceAnswers | None:
    """Return the answers about each deleted record once."""
    if cell.references is None or cell.references.member.shape[1] < models:
        return None
    rows = np.flatnonzero(cell.has_role(Role.FORGOTTEN))
    _, first = np.unique(cell.record[rows], return_index=True)
    return cell.references.take(rows[first]).first(models)


def _chosen(answers: Numbers, chosen: NDArray[np.bool_]) -> Numbers:
    """Return the chosen answers of each record, as many for each."""
    return answers[chosen].reshape(len(answers), -1)
