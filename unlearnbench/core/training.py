"""Training jobs: which models are to be trained, each once."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

from unlearnbench.core.models import Engine, FitTask, Fitted, Seeds, SeedUse, TargetModel, check_fitted
from unlearnbench.core.options import PLAIN, TrainingOptions
from unlearnbench.core.records import TrainingSet

JobKey = Hashable


@dataclass(frozen=True, eq=False)
class TrainingJob:
    """One model to train."""

    data: TrainingSet
    seeds: Seeds
    start: TrainingJob | None = None
    """The job whose model this one continues from, if any."""

    @property
    def stages(self) -> Iterator[TrainingJob]:
        """The job itself, the one it starts from, and so on."""
        stage: TrainingJob | None = self
        while stage is not None:
            yield stage
            stage = stage.start


class Trainer:
    """Trains jobs and remembers the models, so that none is trained twice.

    SISA is cheap because of that: the shards that a request does not touch, and the slices before the deleted record,
    are jobs that are done already.
    """

    def __init__(
        self, model: TargetModel, device: str = "cpu", options: TrainingOptions = PLAIN, engine: Engine = "fast"
    ) -> None:
        self.model = model
        self.device = device
        self.options = options
        self.engine = engine
        self._done: dict[JobKey, Fitted] = {}

    def key(self, job: TrainingJob) -> JobKey:
        """Return what identifies a job: equal keys train equal models."""
        noise: frozenset[SeedUse] = frozenset({"noise"} if self.options.dp else ())
        return _key(job, self.model.seeds_used | noise)

    def train(self, jobs: Sequence[TrainingJob]) -> list[Fitted]:
        """Return the fitted model of each job, training together all that are not done yet."""
        stages = (stage for job in jobs for stage in job.stages)
        pending = {key: stage for stage in stages if (key := self.key(stage)) not in self._done}
        while pending:
            ready = {key: job for key, job in pending.items() if job.start is None or self.key(job.start) in self._done}
            self._done.update(zip(ready, self._fit([self._task(job) for job in ready.values()]), strict=True))
            pending = {key: job for key, job in pending.items() if key not in ready}
        return [self._done[self.key(job)] for job in jobs]

    def remember(self, job: TrainingJob, fitted: Fitted) -> None:
        """Take ``fitted`` for the model of this job."""
        self._done[self.key(job)] = fitted

    def _task(self, job: TrainingJob) -> FitTask:
        start = None if job.start is None else self._done[self.key(job.start)]
        return FitTask(job.data, job.seeds, start, self.options)

    def _fit(self, tasks: Sequence[FitTask]) -> Sequence[Fitted]:
        models: Sequence[Fitted]
        if self.engine == "fast":
            models = self.model.fit_many(tasks, self.device)
        else:
            models = [self.model.fit(task, self.device) for task in tasks]
        if len(models) != len(tasks):
            raise ValueError(f"fit_many must return a model for each of {len(tasks)} tasks, got {len(models)}")
        for fitted in models:
            check_fitted(fitted)
        return models


def _key(job: TrainingJob, used: frozenset[SeedUse]) -> JobKey:
    start = None if job.start is None else _key(job.start, used)
    return (job.data.fingerprint, job.seeds.only(used), start)
