"""Exact unlearning of a random forest: repair only the trees that held the record, and only below a changed split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from unlearnbench.builtin.models.random_forest import RandomForest
from unlearnbench.builtin.unlearners.exact.retrain import retain_set, version_seeds
from unlearnbench.core.models import TargetModel
from unlearnbench.core.originals import Original
from unlearnbench.core.records import Step
from unlearnbench.core.seeding import SeedPath
from unlearnbench.core.training import TrainingJob
from unlearnbench.engine.unlearners import ExactUnlearner


@dataclass(frozen=True)
class ForestExact(ExactUnlearner):
    """Delete records from a random forest whose draws are keyed by record and node.

    A forgotten record takes its draws with it and moves no other: trees whose bag did not hold it stay as they are,
    and in the others only what lies below the first split that changes is grown again. The outcome is, bitwise, the
    forest that training without the record gives, so ``retrain`` with ``init: same`` is the same model got the slow
    way; the fast engine serves either like this. Goes with ``random-forest`` under ``draws: keyed`` alone.
    """

    counts_passes: ClassVar[bool] = False

    def refusal(self, model: TargetModel) -> str | None:
        """Refuse what is no forest with keyed draws."""
        if isinstance(model, RandomForest) and model.draws == "keyed":
            return None
        return "forest-exact goes with random-forest and draws: keyed only"

    def jobs(self, original: Original, steps: Sequence[Step], seeds: SeedPath) -> list[TrainingJob]:
        """Return the forest of what is left, with the original's keys."""
        left = retain_set(original.data, steps, "slot")
        return [TrainingJob(left, version_seeds(original.seeds, seeds, "same", "slot"))]
