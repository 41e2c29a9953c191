"""An exact unlearning method: it says which training runs make the model, the engine does them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field
from unlearnbench import ExactUnlearner, Original, SeedPath, Seeds, Step, TrainingJob


@dataclass(frozen=True)
class Subsample(ExactUnlearner):
    """Train every version, the original too, on a fresh random share of the records that are left.

    The deleted record is then one change among many, at the price of training on fewer records.

    ``share``: of the records, on average
    """

    share: Annotated[float, Field(gt=0, le=1)] = 0.8

    def jobs(self, original: Original, steps: Sequence[Step], seeds: SeedPath) -> list[TrainingJob]:
        """Return the one training run; for the original ``seeds`` is its own seed path."""
        data = original.data
        for step in steps:
            data = data.after(step)
        kept = (seeds / "kept").rng().random(len(data.ids)) < self.share
        return [TrainingJob(data.select(kept), Seeds.at(seeds))]
