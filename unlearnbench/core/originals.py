"""The original model of an episode, as unlearners and scenarios receive it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.models import Engine, Fitted, Seeds, TargetModel
from unlearnbench.core.options import PLAIN, TrainingOptions
from unlearnbench.core.records import TrainingSet
from unlearnbench.core.seeding import SeedPath
from unlearnbench.core.training import Trainer, TrainingJob


@dataclass(frozen=True, eq=False)
class Original:
    """An original model and how it is trained. It is trained when ``fitted`` is first read, and then only once."""

    model: TargetModel
    """The target model. Its fields (``epochs``, ``learning_rate``, ...) are the training recipe."""
    data: TrainingSet
    """The records that the original is trained on."""
    seeds: SeedPath
    """Seed path of its training."""
    device: str = "cpu"
    """Where it is trained: ``cpu``, ``cuda`` or ``mps``."""
    options: TrainingOptions = PLAIN
    """What a training defense asks for, in addition to the model's own parameters."""
    engine: Engine = "fast"
    """Whether models are trained by ``fit_many`` or by ``fit``."""
    validation_ids: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    """Ids of the records in ``validation``."""
    source: Original | None = None
    """The original that trains the model which this one shares; None where this one trains it."""

    @property
    def job(self) -> TrainingJob:
        """The training of the original."""
        return TrainingJob(self.data, Seeds.at(self.seeds))

    @property
    def validation(self) -> TrainingSet:
        """Records that the original is not trained on, that no request adds and that no attack is asked about.

        There may be none, where a training set takes all records that a side may train on.
        """
        return TrainingSet.of(self.data.records, self.validation_ids)

    @property
    def fitted(self) -> Fitted:
        """The trained original model; it must not be changed."""
        return self._trained[0]

    @property
    def is_trained(self) -> bool:
        """Whether ``fitted`` was read."""
        return "_trained" in vars(self)

    @property
    def seconds(self) -> float:
        """Seconds that training the original took; 0 if ``fitted`` was not read."""
        return self._trained[1] if self.is_trained else 0.0

    def train(self, jobs: Sequence[TrainingJob]) -> list[Fitted]:
        """Return the fitted model of each job. Jobs with equal records, seeds and start are trained once."""
        own = self._trainer.key(self.job)
        if any(self._trainer.key(stage) == own for job in jobs for stage in job.stages):
            self._trainer.remember(self.job, self.fitted)
        return self._trainer.train(jobs)

    def share(self, validation_ids: NDArray[np.int64]) -> Original:
        """Return this original for another user: ``fitted`` is shared, models that either trains besides are not.

        So the cost of an unlearner does not depend on which ones were run before it.
        """
        return replace(self, validation_ids=validation_ids, source=self.source or self)

    @cached_property
    def _trainer(self) -> Trainer:
        return Trainer(self.model, self.device, self.options, self.engine)

    @cached_property
    def _trained(self) -> tuple[Fitted, float]:
        if self.source is not None:
            return self.source._trained
        start = perf_counter()
        (fitted,) = self._trainer.train([self.job])
        return fitted, perf_counter() - start
