"""What a submission holds of each cell, as it comes out of a store: by packing, and again where a cell is run anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.errors import UserError
from unlearnbench.core.estimates import Estimate
from unlearnbench.core.metrics import Utility
from unlearnbench.run.cells import Cell, CellGroup
from unlearnbench.run.evaluation import Evaluator
from unlearnbench.run.instances import PluginInstances, baseline_ref
from unlearnbench.run.store import Store
from unlearnbench.submissions.derived import Ids, QueriedRows

Numbers = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class CellRecord:
    """What was found for one cell; the arrays are those of a ``CellPart`` in ``submission.json``."""

    scores: Numbers
    baseline: Numbers
    shadow: Numbers
    unchanged: NDArray[np.bool_]
    estimates: Mapping[str, Estimate]


@dataclass(frozen=True, eq=False)
class GroupRecord:
    """What cells of a bench share; ``epsilon`` is None where training was not private."""

    matched: Ids
    accuracies: Numbers
    seconds: Numbers
    epsilon: Numbers | None

    @classmethod
    def of(cls, matched: Ids, utility: Utility) -> GroupRecord:
        """Take a bench's accuracies and seconds apart."""
        accuracies = (
            utility.train_accuracy_original,
            utility.test_accuracy_original,
            utility.train_accuracy_unlearned,
            utility.test_accuracy_unlearned,
        )
        private = bool(np.isfinite(utility.epsilon).all())
        seconds = np.stack([utility.seconds_to_train, utility.seconds_to_unlearn])
        return cls(matched, np.stack(accuracies), seconds, utility.epsilon if private else None)

    def utility(self, episode: Ids) -> Utility:
        """Put them together again; ``episode`` (requests,) is the original of each request."""
        epsilon = np.full(len(episode), np.inf) if self.epsilon is None else self.epsilon
        train, test, train_unlearned, test_unlearned = self.accuracies
        to_train, to_unlearn = self.seconds
        return Utility(episode, train, test, train_unlearned, test_unlearned, to_train, to_unlearn, epsilon)


class RecordingEvaluator(Evaluator):
    """A judge that hands out all it judged by."""

    @classmethod
    def load(cls, bench: CellGroup, store: Store, instances: PluginInstances) -> RecordingEvaluator:
        """Read the episodes from the store; raises ``MissingError`` where one is not there."""
        return cast(RecordingEvaluator, super().load(bench, store, instances))

    def bench(self, bench: CellGroup) -> GroupRecord:
        """Return what the cells share; UserError where a scenario asks for more matched negatives than the suite."""
        most = bench.target[0].sizes.matched
        try:
            return GroupRecord.of(QueriedRows.of(self._plain.target).matched(most), self._utility)
        except IndexError:
            name = bench.target[0].scenario.label
            raise UserError(f"scenario {name} asks for more than the {most} matched negatives of the suite") from None

    def record(self, cell: Cell) -> CellRecord:
        """Return what is found for a cell."""
        scores, estimates = self(cell)
        baseline = self._attack(cell.defense, baseline_ref(cell.attack, self._workshop))
        rows = self._game(cell.defense).target
        last = rows.after[np.arange(len(rows)), rows.versions - 1]
        unchanged = np.asarray((rows.before == last).all(axis=1))
        return CellRecord(scores.target, baseline.target, scores.shadow, unchanged, estimates)
