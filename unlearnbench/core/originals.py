"""The original model of an episode, as unlearners and scenarios receive it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from time import perf_counter
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.arrays import ReadOnlyArrays
from unlearnbench.core.models import Engine, FitTask, Fitted, Seeds, StepLog, TargetModel
from unlearnbench.core.options import PLAIN, TrainingOptions
from unlearnbench.core.plugin_calls import plugin_call
from unlearnbench.core.posteriors import log_softmax
from unlearnbench.core.records import TrainingSet
from unlearnbench.core.seeding import SeedPath
from unlearnbench.core.training import JobKey, Trainer, TrainingJob

T = TypeVar("T")

PROBES = 256
"""How many training records, at most, the original is asked about again to see whether it has changed."""
FEW = 32
"""About how many of these its module is asked, all at once."""
ALIKE = 1e-4
"""How much posteriors on a GPU, or of a module and of the kernel that trained it, may differ by rounding."""


@dataclass(frozen=True, eq=False)
class Original(ReadOnlyArrays):
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
    def is_used(self) -> bool:
        """Whether ``fitted`` was read or another model trained, by it or by one that shares it."""
        return self.is_trained or "_used" in vars(self)

    @property
    def seconds(self) -> float:
        """Seconds that training the original took; 0 if ``fitted`` was not read."""
        return self._trained[1] if self.is_trained else 0.0

    def train(self, jobs: Sequence[TrainingJob]) -> list[Fitted]:
        """Return the fitted model of each job. Jobs with equal records, seeds and start are trained once."""
        vars(self.source or self)["_used"] = True
        own = self._trainer.key(self.job)
        if any(self._trainer.key(stage) == own for job in jobs for stage in job.stages):
            self._trainer.remember(self.job, self.fitted)
        return self._trainer.train(jobs)

    def job_key(self, job: TrainingJob) -> JobKey:
        """Return what identifies a job: equal keys are trained once."""
        return self._trainer.key(job)

    def train_with(self, log: StepLog) -> Fitted:
        """Return the original trained once more, by ``fit``, with its training followed by ``log``.

        Where ``engine`` is ``fast``, rounding makes it another model than ``fitted``.
        """
        job = self.job
        return self.model.fit(FitTask(job.data, job.seeds, options=self.options, log=log), self.device)

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what ``make`` returns; it is called once for this key and all that share this original."""
        made = vars(self.source or self).setdefault("_made", {})
        if key not in made:
            made[key] = make()
        return cast(T, made[key])

    def share(self, validation_ids: NDArray[np.int64]) -> Original:
        """Return this original for another user: ``fitted`` is shared, models that either trains besides are not.

        So the cost of an unlearner does not depend on which ones were run before it.
        """
        return replace(self, validation_ids=validation_ids, source=self.source or self)

    @cached_property
    def _trainer(self) -> Trainer:
        return Trainer(self.model, self.device, self.options, self.engine)

    def check_unchanged(self) -> None:
        """Raise ValueError where the trained model answers otherwise than it did when it was trained."""
        if self.is_trained and not self._answers_again():
            raise ValueError(
                "the original, which all unlearners share, was changed in place; work on a copy, such as "
                "copy.deepcopy(fitted.module)"
            )

    def _answers_again(self) -> bool:
        fitted, _, answers = self._trained
        again = fitted.log_posteriors(self._probes())
        same = np.array_equal(again, answers) if self.device == "cpu" else _alike(again, answers)
        return same and self._module_answers_again(fitted, answers[:FEW])

    def _module_answers_again(self, fitted: Any, answers: NDArray[np.float64]) -> bool:
        """Return whether the module answers as the model did: one that is made on demand can change alone."""
        torch = sys.modules.get("torch")
        if not (self.model.has_module and torch):
            return True
        with torch.no_grad():
            return _alike(log_softmax(fitted.module(fitted.inputs(self._probes()[:FEW])).cpu().numpy()), answers)

    def _probes(self) -> NDArray[np.float64]:
        return self.data.records.x[self.data.ids[:PROBES]]

    @cached_property
    def _trained(self) -> tuple[Fitted, float, NDArray[np.float64]]:
        if self.source is not None:
            return self.source._trained
        with plugin_call():  # all who share it get the same model, whatever its first user has changed
            start = perf_counter()
            (fitted,) = self._trainer.train([self.job])
            seconds = perf_counter() - start
            return fitted, seconds, np.array(fitted.log_posteriors(self._probes()))


def _alike(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    return np.allclose(np.exp(one), np.exp(other), rtol=0, atol=ALIKE)
