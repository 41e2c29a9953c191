"""Training jobs: which models an episode needs, each trained once."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

from unlearnbench.core.models import FitTask, Fitted, Seeds, TargetModel
from unlearnbench.core.records import TrainingSet

JobKey = Hashable


@dataclass(frozen=True, eq=False)
class TrainingJob:
    """One model to train; ``start`` is the job whose model it continues from, if any."""

    data: TrainingSet
    seeds: Seeds
    start: TrainingJob | None = None


def job_key(model: TargetModel, job: TrainingJob) -> JobKey:
    """Return what tells two jobs of one episode apart: equal keys train equal models."""
    start = None if job.start is None else job_key(model, job.start)
    return (job.data.fingerprint, job.seeds.only(model.seeds_used), start)


class Trainer:
    """Trains the jobs of one episode and remembers them, so that no model is trained twice.

    That memory is what makes SISA cheap: the shards that a request leaves alone, and the slices before the deleted
    record, are jobs already done.
    """

    def __init__(self, model: TargetModel, device: str) -> None:
        self.model = model
        self.device = device
        self._done: dict[JobKey, Fitted] = {}

    def train(self, jobs: Sequence[TrainingJob]) -> list[Fitted]:
        """Return the fitted model of each job, training together all that are still to be done."""
        pending = {key: job for job in _with_starts(jobs) if (key := self._key(job)) not in self._done}
        while pending:
            ready = {
                key: job for key, job in pending.items() if job.start is None or self._key(job.start) in self._done
            }
            tasks = [FitTask(job.data, job.seeds, self._start(job)) for job in ready.values()]
            self._done.update(zip(ready, self.model.fit_many(tasks, self.device), strict=True))
            pending = {key: job for key, job in pending.items() if key not in ready}
        return [self._done[self._key(job)] for job in jobs]

    def _key(self, job: TrainingJob) -> JobKey:
        return job_key(self.model, job)

    def _start(self, job: TrainingJob) -> Fitted | None:
        return None if job.start is None else self._done[self._key(job.start)]


def _with_starts(jobs: Iterable[TrainingJob]) -> Iterable[TrainingJob]:
    """Yield the jobs and all they start from."""
    for job in jobs:
        link: TrainingJob | None = job
        while link is not None:
            yield link
            link = link.start
