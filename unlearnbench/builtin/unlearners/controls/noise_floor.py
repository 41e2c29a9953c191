"""The noise floor: the record is named but not deleted, the model only trained again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from unlearnbench.core.models import Seeds
from unlearnbench.core.originals import Original
from unlearnbench.core.records import Step
from unlearnbench.core.seeding import SeedPath
from unlearnbench.core.training import TrainingJob
from unlearnbench.engine.unlearners import ExactUnlearner


@dataclass(frozen=True)
class NoiseFloor(ExactUnlearner):
    """Train again on all records with fresh seeds: what an attack scores here is retraining noise, not deletion.

    A control row. A model that uses no seeds comes out the same, and its floor is a constant score.
    """

    def jobs(self, original: Original, steps: Sequence[Step], seeds: SeedPath) -> list[TrainingJob]:
        """Return one training run on everything, with new seeds for each version."""
        return [TrainingJob(original.data, Seeds.at(seeds))]
